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

#ifndef KEYHOLDER_H
#define KEYHOLDER_H

#include "compat.h"

#include "eckey.h"
#include "proc.h"

/*
 * The keyholder process of both daemons: has the private keys, answers typed
 * questions, asks nobody and waits for nobody.  Which key answers is decided
 * by the channel a question arrives on, never by the question alone:
 *
 *	CA		KEY_ISSUE (from the engine), and the leaves that it
 *			makes for SERVER_TLS and COMMAND itself
 *	CA_NEW		the same instead of CA, once the parent says so by
 *			KEY_CA_USE; see keyholder_ca.c
 *	SERVER_TLS	KEY_SIGN on cluster's synchronous channel
 *	AGENT_TLS	KEY_SIGN on uplink's; KEY_CSR from the agent's engine
 *	COMMAND		KEY_COMMAND from the engine: one typed statement
 *	HMAC		KEY_MAC, KEY_MACCHECK from the engine
 *
 * Messages: imsg_types.def, KEY_*.  Sequence on the server:
 *	parent	KEY_LOAD or KEY_CREATE: CA key, then CA cert, HMAC secret;
 *		each is answered by KEY_LOADED.  The mix "load the key, create
 *		the certificate" is what a crash between two renames leaves.
 *	keyholder  KEY_INFO (CA, slot 0) to the engine
 *	parent	KEY_NAMES -> new SERVER_TLS key with its leaf (KEY_INFO slot 0
 *		the first time, then 1) and a new COMMAND key (KEY_INFO, always
 *		slot 0: from that message on every KEY_COMMAND_SIGNED is by
 *		this certificate) if there is none or two thirds of its life
 *		are over, then KEY_NAMES_DONE.  The COMMAND key is also made
 *		anew, when it is due, before a command is signed and when the
 *		engine says KEY_COMMAND_NEW.
 *		Without both CA parts it fails.  While slot 1 waits for its
 *		KEY_DROP, its key gets the new leaf: a third key would be one
 *		too many, since cluster may use either.
 *	engine	KEY_DROP (SERVER_TLS, point that stays) when cluster uses it
 * and while the CA is replaced (parent_ca.c):
 *	parent	KEY_CREATE or KEY_LOAD of CA_NEW: key, cert, cross -> KEY_INFO
 *		(CA, slot 1) and KEY_INFO (CA_CROSS, slot 1)
 *	parent	KEY_CA_USE: which CA issues, whether the old key goes, and at
 *		last that the new one is the CA (KEY_INFO CA slot 0 again)
 * and on an agent:
 *	parent	KEY_LOAD (AGENT_TLS, key) -> slot 0; KEY_CREATE -> slot 1, a
 *		whole key left behind in the file is taken, a torn one is
 *		rewritten; KEY_LOADED to the parent, KEY_INFO to the engine
 *	engine	KEY_CSR (slot), KEY_DROP; what stays becomes slot 0
 */
enum keyholder_purpose {
	KEY_PURPOSE_CA = 1,
	KEY_PURPOSE_SERVER_TLS = 2,
	KEY_PURPOSE_COMMAND = 3,
	KEY_PURPOSE_HMAC = 4,
	KEY_PURPOSE_AGENT_TLS = 5,
	KEY_PURPOSE_WEB_TLS = 6,	/* reserved */
	KEY_PURPOSE_CA_NEW = 7,		/* the CA that replaces CA */
	KEY_PURPOSE_CA_CROSS = 8	/* KEY_INFO: CA_NEW, signed by CA */
};

enum keyholder_part {
	KEY_PART_KEY = 0,
	KEY_PART_CERT = 1,
	KEY_PART_SECRET = 2,
	KEY_PART_CROSS = 3
};

/* rc of KEY_LOADED */
enum keyholder_loaded {
	KEY_LOADED_OLD = 0,		/* what the file held */
	KEY_LOADED_NEW = 1,		/* made, written and synced */
	KEY_LOADED_FAILED = 2,
	KEY_LOADED_NONE = 3		/* CROSS: the CA cannot sign another */
};

/* KEY_CA_USE */
enum key_ca_use {
	KEY_CA_USE_NEW = 1,		/* CA_NEW issues from now on */
	KEY_CA_USE_ONLY = 2,		/* and the key of CA is forgotten */
	KEY_CA_USE_PROMOTE = 3,		/* CA_NEW is the CA, the only one */
	KEY_CA_USE_DISCARD = 4		/* CA_NEW is forgotten, CA issues */
};

/* rc of KEY_ISSUED; 0 is success, also for every other rc of a KEY_* answer */
enum keyholder_rc {
	KEY_RC_OK = 0,
	KEY_RC_LIMITED = 1,
	KEY_RC_REFUSED = 2,
	KEY_RC_FAILED = 3
};

#define KEY_SLOT_CURRENT	0
#define KEY_SLOT_NEW		1
#define KEY_PROFILE_AGENT	1	/* KEY_ISSUE */
#define KEY_NAME_DNS		1	/* KEY_NAMES */
#define KEY_NAME_IP		2	/* 4 or 16 bytes, network order */

#define KEY_FILE_MAXBYTES	65536
#define KEY_CERT_MAXBYTES	3584	/* DER */
#define KEY_SERIAL_MAXBYTES	20
#define KEY_SECRET_LEN		32
#define KEY_NAMES_MAX		256
#define KEY_SUBJECT_MAXBYTES	64
#define KEY_ISSUE_RATE		50	/* a second */
#define KEY_ISSUE_BURST		2000
#define KEY_ISSUE_QUEUE		4096	/* more wait: KEY_RC_LIMITED */
#define KEY_CA_LIFE_SEC		(3650LL * 86400)
#define KEY_COMMAND_LIFE_SEC	(365LL * 86400)
#define KEY_LEAF_LIFE_MAXSEC	(3650LL * 86400)
#define KEY_BACKDATE_MAXSEC	3600	/* or a tenth of the life */

/* Rows of the process tables. */
extern const struct proc_handler keyholder_handlers[];		/* sentineld */
extern const struct proc_handler keyholder_agent_handlers[];	/* agentd */
/* pr_warmup: arena, libcrypto without its configuration file, the random
 * generator and one signature, so that nothing of it comes after the filter. */
void	 keyholder_warmup(void);
/* pr_start */
void	 keyholder_start(void);
/* pr_peer_lost: nothing is kept per peer but its queued issues. */
void	 keyholder_peer_lost(struct peer *);

#endif /* KEYHOLDER_H */
