/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a process may still do once it has what it needs. Each layer is of the
 * kernel, and each stands if another falls: another user without privileges,
 * no new ones by exec, no files (Landlock, where the kernel has it), and a
 * list of system calls (seccomp) that each role gets by with.
 */
#ifndef STRIPWIRE_SANDBOX_H
#define STRIPWIRE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SANDBOX_FOLDERS_MAX 64

enum sandbox_role {
	SANDBOX_WORKER, /* its capture and its queue */
	SANDBOX_READER, /* captures, opened for reading */
	SANDBOX_VERIFIER, /* its socket */
	SANDBOX_JUDGE, /* the folders it was given */
	SANDBOX_FEEDS /* these, the network, threads; reads /etc */
};

struct sandbox {
	enum sandbox_role role;
	bool change_user; /* we are root: become uid and gid */
	uid_t uid;
	gid_t gid;
	/* folders in which a judge, or a feed, may make and change files */
	const char *folder[SANDBOX_FOLDERS_MAX];
	unsigned nfolders;
	/* files and folders that feeds may read besides, missing ones are not
	 * missed; of a reader all that it may read, if there are any */
	const char *readable[SANDBOX_FOLDERS_MAX];
	unsigned nreadable;
};

/* First step, before anything is opened that shall belong to the user.
 * -1 with a sentence in err. */
int sandbox_user(const struct sandbox *s, char *err, size_t errlen)
    __attribute__((warn_unused_result));
/* Last step: from here on only what the role needs. Then it tries what it must
 * not be able to do, and says -1 if anything of it can be done. */
int sandbox_enter(const struct sandbox *s, char *err, size_t errlen)
    __attribute__((warn_unused_result));

/* Compiled with sanitizers, which need more than any list allows: seccomp and
 * Landlock are left out, and whoever starts says so. */
bool sandbox_is_off(void);

/* The folder of a file, or "."; to be freed; NULL: no memory. */
char *sandbox_folder_of(const char *path);

/* Whom to become: name, or, if it is "", the user stripwire or nobody; only
 * root becomes anybody. -1 with a sentence in err. */
int sandbox_choose_user(struct sandbox *s, const char *name, char *err,
    size_t errlen) __attribute__((warn_unused_result));

/* uid and gid of a name. -1: there is none. */
int sandbox_find_user(const char *name, uid_t *uid, gid_t *gid)
    __attribute__((warn_unused_result));

#endif
