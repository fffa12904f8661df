/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge as a process: takes what the workers say from their queues in the
 * order of time, judges, stores. It holds the folders of its database and feed
 * and never sees a packet.
 */
#ifndef STRIPWIRE_JUDGE_PROCESS_H
#define STRIPWIRE_JUDGE_PROCESS_H

#include "sensor/backend.h"
#include "sensor/config.h"
#include "sensor/merge.h"

/* Between supervisor and judge, SOCK_SEQPACKET. */
enum control_what {
	CONTROL_FINDING = 1, /* number: enum finding_id; text: what happened */
	CONTROL_VERIFIER, /* with a descriptor: the new one's; number 1: it
			     has another trust store, verdicts are void */
	CONTROL_REOPEN, /* SIGHUP: the feed; with a descriptor, if there is
			   one: of the log */
	CONTROL_RELOAD, /* with a descriptor: of a bundle, to be loaded */
	CONTROL_STOP, /* nothing more will come: settle, store, end */
	/* from the judge; number: how many rules are in force */
	CONTROL_READY,
	CONTROL_LOADED, /* the answer to CONTROL_RELOAD, or: */
	CONTROL_REFUSED, /* text says why; nothing has changed */
	CONTROL_FAILED /* from the judge: text says why it cannot work */
};

struct control {
	uint32_t what; /* enum control_what */
	uint32_t number;
	int64_t time;
	char text[512];
};

/* fd: to be sent along, or -1. -1: it could not be sent. */
int control_send(int sock, const struct control *c, int fd);
/* Without waiting. 1; 0: nothing there; -1: the other end has gone. *fd: what
 * came along, or -1. */
int control_receive(int sock, struct control *c, int *fd);

struct board;

struct judge_board { /* shared with the supervisor, for `status` */
	_Atomic uint64_t beat; /* goes up with each round */
	struct backend_totals totals;
	uint64_t observations,
	    refused; /* refused: records that made no sense */
	uint64_t chains, unanswered;
	struct history_knowledge known; /* a look every LEARN_MS */
	struct table_use memory[MEM_COUNT]; /* likewise */
	int64_t lag; /* ns from an observation to its judgement, last */
};

/* The configuration anew, by supervisor and judge alike: made, and then taken
 * or dropped. */
struct reconfigure {
	/* From a text and the options of the start. find: files that are not
	 * named are looked for. NULL: mistakes, each told to say */
	const struct pipeline_config *(*prepare)(void *ctx, struct slice text,
	    bool find, config_error_fn *say, void *say_ctx);
	/* cfg is what was prepared from now on, but for the keys that frozen
	 * (or NULL) is told */
	void (*take)(void *ctx, config_frozen_fn *frozen, void *frozen_ctx);
	void (*drop)(void *ctx);
	void *ctx;
	const struct pipeline_config *cfg;
};

struct judge_process {
	const struct pipeline_config *cfg;
	struct ring *const *rings;
	unsigned nrings;
	const struct board *const *boards; /* of the rings' workers */
	unsigned ninterfaces;
	int verifier; /* fd; owned from here on */
	int control; /* fd, to the supervisor */
	struct judge_board *board;
	/* called when all is open, before hostile bytes are looked at: the
	 * sandbox closes. -1 with a sentence */
	int (*enter)(void *ctx, char *err, size_t errlen);
	void *ctx;
	const struct reconfigure *again;
};

/* Returns an exit status. */
int judge_process_run(const struct judge_process *p);

#endif
