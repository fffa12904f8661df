/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STRIPWIRE_VERSION_H
#define STRIPWIRE_VERSION_H

#define STRIPWIRE_VERSION "0.1.0"

#endif
