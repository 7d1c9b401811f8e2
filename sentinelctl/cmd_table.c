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

#include "compat.h"

#include <stddef.h>

#include "cmd_table.h"

/* What --yes answers. */
#define GONE	"its agent is disconnected and its certificate revoked;\n" \
		"it comes back only with a new token.  Go on?"
#define DRAIN	"there is no way back to the old CA.  Go on?"
#define DROP	"what only trusts the old CA, or has a certificate of it,\n" \
		"is cut off.  Go on?"
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

/* One row a command; the manual page has the same order. */
const struct ctl_cmd	ctl_cmds[] = {
	{ "status", NULL, "", CTL_STATUS, C(STATUS), NULL,
	    "the daemon, its certificates and its processes", NULL },
	{ "doctor", NULL, "", CTL_LIST, C(DOCTOR), NULL,
	    "look for what is wrong, and say what to do", NULL },
	{ "reload", NULL, "", CTL_DONE, C(RELOAD), NULL,
	    "read the configuration again", NULL },
	{ "token create", NULL, " ttl uses name replace label ", CTL_ONE,
	    C(TOKEN_CREATE), NULL, "make an enrolment token for a new host",
	    NULL },
	{ "token list", NULL, "", CTL_LIST, C(TOKEN_LIST), NULL,
	    "enrolment tokens and what became of them", NULL },
	{ "token revoke", "ID", "", CTL_DONE, C(TOKEN_REVOKE), NULL,
	    "make an enrolment token useless", NULL },
	{ "host list", NULL, " all ", CTL_LIST, C(HOST_LIST), NULL,
	    "enrolled hosts", NULL },
	{ "host show", "HOST", "", CTL_ONE, C(HOST_SHOW), NULL,
	    "one host, by name or id", NULL },
	{ "host pause", "HOST", "", CTL_DONE, C(HOST_PAUSE), NULL,
	    "no new updates there until it is resumed", NULL },
	{ "host resume", "HOST", "", CTL_DONE, C(HOST_RESUME), NULL,
	    "updates again", NULL },
	{ "host rename", "HOST NAME", "", CTL_DONE, C(HOST_RENAME), NULL,
	    "call it by another name", NULL },
	{ "host label", "HOST KEY=VALUE", "", CTL_DONE, C(HOST_LABEL), NULL,
	    "set a label; KEY= takes it away", NULL },
	{ "host unfreeze", "HOST", "", CTL_DONE, C(HOST_UNFREEZE), NULL,
	    "let a host in again whose certificate two machines used", NULL },
	{ "host remove", "HOST", " yes ", CTL_DONE, C(HOST_REMOVE), NULL,
	    "disconnect its agent and forget the host", GONE },
	{ "host revoke", "HOST", " yes ", CTL_DONE, C(HOST_REVOKE), NULL,
	    "the same for one whose key may be stolen", GONE },
	{ "cert list", NULL, "", CTL_LIST, C(CERT_LIST), NULL,
	    "certificates: the CA's, the server's and the hosts'", NULL },
	{ "enroll", NULL, " token ", CTL_DONE, C(ENROLL), NULL,
	    "on an agent: enrol this host with a new token", NULL },
	{ "settings get", "[KEY]", "", CTL_LIST, C(SETTINGS_GET), NULL,
	    "settings, and where their values come from", NULL },
	{ "settings set", "KEY VALUE", "", CTL_DONE, C(SETTINGS_SET), NULL,
	    "change a setting, here and on the agents", NULL },
	{ "settings unset", "KEY", "", CTL_DONE, C(SETTINGS_UNSET), NULL,
	    "its default again", NULL },
	{ "policy show", "[HOST[/NAME]]", "", CTL_LIST, C(POLICY_SHOW), NULL,
	    "what is done with updates of containers, and who decided", NULL },
	{ "policy set", "HOST[/NAME] POLICY", "", CTL_DONE, C(POLICY_SET),
	    NULL, "auto, manual, pinned or inherit, for a host or a container",
	    NULL },
	{ "policy default", "POLICY", "", CTL_DONE, C(POLICY_SET), NULL,
	    "the same for all that say nothing themselves", NULL },
	{ "events", NULL, " follow ", CTL_STREAM, C(EVENTS), NULL,
	    "what happened lately", NULL },
	{ "history list", "[HOST/NAME]", " limit ", CTL_LIST, C(HISTORY_LIST),
	    NULL, "what was done, on all hosts, one, or to one container",
	    NULL },
	{ "journal list", NULL, " limit ", CTL_LIST, C(JOURNAL_LIST), NULL,
	    "what an agent keeps for its server", NULL },
	{ "journal export", NULL, "", CTL_DONE, C(JOURNAL_EXPORT), NULL,
	    "write that to offline_journal.json", NULL },
	{ "audit list", NULL, " since limit ", CTL_LIST, C(AUDIT_LIST), NULL,
	    "who did what to hosts, tokens and certificates", NULL },
	{ "audit verify", NULL, "", CTL_ONE, C(AUDIT_VERIFY), NULL,
	    "whether that list is whole and unchanged", NULL },
	{ "ca status", NULL, "", CTL_ONE, C(CA_STATUS), NULL,
	    "the CA, and how far its replacement is", NULL },
	{ "ca rotate prepare", NULL, "", CTL_ONE, C(CA_PREPARE), NULL,
	    "make a new CA; agents get it beside the old one", NULL },
	{ "ca rotate issue", NULL, " force ", CTL_ONE, C(CA_ISSUE), NULL,
	    "the new CA issues all certificates", NULL },
	{ "ca rotate drain", NULL, " yes ", CTL_ONE, C(CA_DRAIN), NULL,
	    "the old CA can issue no more", DRAIN },
	{ "ca rotate drop", NULL, " force yes ", CTL_ONE, C(CA_DROP), NULL,
	    "the old CA is trusted no more", DROP },
	{ "ca rotate abort", NULL, "", CTL_ONE, C(CA_ABORT), NULL,
	    "call it off, after prepare", NULL },
	{ "container list", NULL, " host ", CTL_LIST, C(CONTAINER_LIST), NULL,
	    "containers of all hosts or of one", NULL },
	{ "container rollback", "HOST/NAME", " to force ", CTL_ONE,
	    C(CONTAINER_ROLLBACK), NULL,
	    "replace the container with one of an earlier image", NULL },
	{ "container show", "HOST/NAME", "", CTL_ONE, C(CONTAINER_SHOW), NULL,
	    "one container: image, policy, what was done with it", NULL },
	{ "container pull", "HOST IMAGE", " auth-file ", CTL_ONE,
	    C(CONTAINER_PULL), NULL, "have a host's Docker pull an image",
	    NULL },
	{ "container plan", "HOST/NAME", " image ", CTL_ONE,
	    C(CONTAINER_PLAN), NULL,
	    "what an update would do, without doing it", NULL },
	{ "container update", "HOST/NAME", " image auth-file force skip-hooks ",
	    CTL_ONE, C(CONTAINER_UPDATE), NULL,
	    "pull the image and replace the container", NULL },
	{ "self update", "HOST", " image auth-file force skip-hooks ",
	    CTL_ONE, C(SELF_UPDATE), NULL,
	    "the same with Sentinel's own container on a host", NULL },
	{ "container stop", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "stop", "stop a container", NULL },
	{ "container start", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "start", "start a container", NULL },
	{ "container restart", "HOST/NAME", "", CTL_ONE, C(CONTAINER_ACTION),
	    "restart", "stop and start a container", NULL },
	{ "container logs", "HOST/NAME",
	    " lines tail since until timestamps stdout stderr follow ", CTL_ONE,
	    C(CONTAINER_LOGS), NULL,
	    "last lines of a container's output, and what follows", NULL },
	{ "hook list", "[HOST[/NAME]]", "", CTL_LIST, C(HOOK_LIST), NULL,
	    "commands that are run before and after updates", NULL },
	{ "hook set", "HOST/NAME PHASE COMMAND", " timeout rollback ",
	    CTL_DONE, C(HOOK_SET), NULL,
	    "set one; PHASE is pre-update or post-update", NULL },
	{ "hook remove", "HOST/NAME PHASE", "", CTL_DONE, C(HOOK_REMOVE),
	    NULL, "take it away", NULL },
	{ "hook run", "HOST/NAME PHASE", " command timeout ", CTL_ONE,
	    C(HOOK_RUN), NULL, "run one now, and show what it prints", NULL },
	{ "quarantine list", "[HOST[/NAME]]", "", CTL_LIST,
	    C(QUARANTINE_LIST), NULL,
	    "images that containers were rolled back from", NULL },
	{ "quarantine lift", "HOST/NAME [DIGEST]", "", CTL_DONE,
	    C(QUARANTINE_LIFT), NULL,
	    "let updates take such an image again", NULL },
	{ "operation list", NULL, " host ", CTL_LIST, C(OPERATION_LIST), NULL,
	    "operations under way, and the last that ended", NULL },
	{ "operation show", "ID", "", CTL_ONE, C(OPERATION_SHOW), NULL,
	    "one operation", NULL },
};
#undef C
#undef GONE
#undef DRAIN
#undef DROP

const size_t	ctl_ncmds = nitems(ctl_cmds);

#define AT(member)	offsetof(struct ctl_args, member)
const struct ctl_opt	ctl_opts[] = {
	{ "socket", 's', "SOCKET", CTL_STRING, AT(ca_socket), 0, true },
	{ "json", 0, NULL, CTL_FLAG, AT(ca_json), 0, true },
	{ "help", 'h', NULL, CTL_FLAG, AT(ca_help), 0, true },
	{ "help", '?', NULL, CTL_FLAG, AT(ca_help), 0, true },
	{ "version", 'V', NULL, CTL_FLAG, AT(ca_version), 0, true },
	{ "ttl", 0, "DURATION", CTL_DURATION, AT(ca_ttl_sec), 0, false },
	{ "uses", 0, "N", CTL_NUMBER, AT(ca_uses), 1000, false },
	{ "replace", 0, "HOST", CTL_STRING, AT(ca_host), 0, false },
	{ "label", 0, "KEY=VALUE", CTL_PAIRS, AT(ca_labels), 0, false },
	{ "name", 0, "NAME", CTL_STRING, AT(ca_name), 0, false },
	{ "host", 0, "HOST", CTL_STRING, AT(ca_host), 0, false },
	{ "image", 0, "REF", CTL_STRING, AT(ca_image), 0, false },
	{ "to", 0, "IMAGE-ID|N", CTL_STRING, AT(ca_to), 0, false },
	{ "lines", 0, "N", CTL_NUMBER, AT(ca_lines), 500, false },
	{ "tail", 0, "N", CTL_NUMBER, AT(ca_lines), 500, false },
	{ "follow", 'f', NULL, CTL_FLAG, AT(ca_follow), 0, false },
	{ "timestamps", 't', NULL, CTL_FLAG, AT(ca_timestamps), 0, false },
	{ "stdout", 0, NULL, CTL_FLAG, AT(ca_stdout), 0, false },
	{ "stderr", 0, NULL, CTL_FLAG, AT(ca_stderr), 0, false },
	{ "all", 0, NULL, CTL_FLAG, AT(ca_all), 0, false },
	{ "since", 0, "TIME", CTL_SINCE, AT(ca_since), 0, false },
	{ "until", 0, "TIME", CTL_UNTIL, AT(ca_until), 0, false },
	{ "limit", 0, "N", CTL_NUMBER, AT(ca_limit), 100000, false },
	{ "token", 0, "FILE", CTL_STRING, AT(ca_token_file), 0, false },
	{ "command", 0, "COMMAND", CTL_STRING, AT(ca_command), 0, false },
	{ "timeout", 0, "DURATION", CTL_DURATION, AT(ca_timeout_sec), 0,
	    false },
	{ "rollback", 0, NULL, CTL_FLAG, AT(ca_rollback), 0, false },
	{ "skip-hooks", 0, NULL, CTL_FLAG, AT(ca_skip_hooks), 0, false },
	{ "auth-file", 0, "FILE", CTL_STRING, AT(ca_auth_file), 0, false },
	{ "force", 0, NULL, CTL_FLAG, AT(ca_force), 0, false },
	{ "yes", 0, NULL, CTL_FLAG, AT(ca_yes), 0, false },
};
const size_t	ctl_nopts = nitems(ctl_opts);

const struct ctl_operand	ctl_operands[] = {
	{ "HOST", AT(ca_host), CTL_WORD },
	{ "HOST/NAME", AT(ca_host), CTL_TARGET },
	{ "HOST[/NAME]", AT(ca_host), CTL_SCOPE },
	{ "ID", AT(ca_id), CTL_WORD },
	{ "IMAGE", AT(ca_image), CTL_WORD },
	{ "KEY", AT(ca_setting), CTL_WORD },
	{ "VALUE", AT(ca_value), CTL_WORD },
	{ "POLICY", AT(ca_value), CTL_WORD },
	{ "PHASE", AT(ca_phase), CTL_WORD },
	{ "COMMAND", AT(ca_command), CTL_WORD },
	{ "NAME", AT(ca_name), CTL_WORD },
	{ "DIGEST", AT(ca_digest), CTL_WORD },
	{ "KEY=VALUE", AT(ca_label), CTL_PAIR },
};
#undef AT
const size_t	ctl_noperands = nitems(ctl_operands);
