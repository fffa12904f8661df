/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory into which one process reads what others look at, too: shared, at the same
 * addresses in all of them. Only the first can write there: the mapping of the
 * others cannot be made writable again.
 */
#ifndef STRIPWIRE_FRAME_BLOCKS_H
#define STRIPWIRE_FRAME_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/capture_input.h"

/* 16 MiB, about as many frames as there are slots for (handout.h). */
#define BLOCKS 12
#define BLOCK_BYTES INPUT_ROOM

struct frame_blocks;

/* Before the processes are forked. NULL with a sentence in err. */
struct frame_blocks *frame_blocks_new(char *err, size_t errlen);
void frame_blocks_free(struct frame_blocks *b);
uint8_t *frame_blocks_at(const struct frame_blocks *b, unsigned number);
/* From here on this process only reads them. -1: errno. */
int frame_blocks_read_only(struct frame_blocks *b)
    __attribute__((warn_unused_result));

#endif
