/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `stripwire rules`: checks, lists, explains, tries and measures rules.
 */
#ifndef STRIPWIRE_CMD_RULES_H
#define STRIPWIRE_CMD_RULES_H

int cmd_rules(int argc, char **argv);

#endif
