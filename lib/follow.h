/*
 * Copyright (c) 2026 The Sentinel developers
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#ifndef FOLLOW_H
#define FOLLOW_H

#include "compat.h"

/*
 * Following a container's output: what every process on the way agrees on.
 *
 *	docker -> engine -> uplink  ==>  cluster -> engine -> control -> client
 *	(the server's own Docker:	  docker -> engine -> control -> client)
 *
 * Each hop may have FOLLOW_WINDOW messages on their way and gets credit back,
 * message by message, once the next hop has passed them on: DOCKER_TAKEN,
 * UPLINK_FOLLOWED, the HTTP/2 window of the call, AGENT_TAKEN, CONTROL_TAKEN.
 * Without credit the docker process stops reading Docker's socket.  Nobody
 * but it keeps anything, and it keeps FOLLOW_KEEP_MAXBYTES; when it has had no
 * credit for FOLLOW_STALL_MSEC it reads on, counts the lines instead, and says
 * how many there were once there is credit again.
 */
#define FOLLOW_WINDOW		8	/* messages, per hop */
#define FOLLOW_HOST_MAX		6	/* follows of one Docker Engine */
#define FOLLOW_ID_LEN		16	/* stream_id, random */
#define FOLLOW_LINE_MAXBYTES	16384	/* of a line, without its end */
#define FOLLOW_TEXT_MAXBYTES	65536	/* text of one message */
#define FOLLOW_MESSAGE_MAXBYTES	(FOLLOW_TEXT_MAXBYTES + 8192)	/* packed */
#define FOLLOW_STALL_MSEC	2000
#define FOLLOW_STDOUT		1	/* a mask */
#define FOLLOW_STDERR		2
#define FOLLOW_BOTH		3

#endif /* FOLLOW_H */
