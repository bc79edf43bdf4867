/* The dry run: a change that is made in its transaction, told, and taken back.
 * Who sends X-Metagate-Dry-Run: 1 gets the refusal that the change would get,
 * in the dialect's own form, or what its audit row would say, which is the same
 * for all dialects:
 *
 *   {"dry_run": true, "operation": "add_cluster", "target": "cluster i1/c1",
 *    "before": null, "after": {...}}
 *
 * before and after are what they are in the audit log: documents without
 * secrets, of long ones what differs. No audit row is written, no job is
 * accepted, nobody is woken. */
#ifndef MG_DRY_RUN_H
#define MG_DRY_RUN_H

#include "req.h"

/* Notes whether the request of a chosen row is a dry run (r->io->dry_run).
 * EVENT_FIELD when the header is neither "0" nor "1", and when the row changes
 * things without a transaction, which could not be taken back; what changes
 * nothing is answered as ever. */
enum err dry_run_ask(struct req *r) MUST_USE;

/* Inside the transaction, after the handler: its answer becomes what the audit
 * row would say. */
enum err dry_run_answer(struct req *r) MUST_USE;

#endif
