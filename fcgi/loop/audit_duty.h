/* The upkeep of the audit trail. */
#ifndef MG_AUDIT_DUTY_H
#define MG_AUDIT_DUTY_H

#include "duty.h"

/* The step of the duty that deletes rows older than [audit] keep_days. */
enum turn audit_duty(struct duty_run *run);

#endif
