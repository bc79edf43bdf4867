/* The upkeep of the audit trail. */
#ifndef MG_AUDIT_DUTY_H
#define MG_AUDIT_DUTY_H

#include "duty.h"

/* The step of the duty that keeps section [audit]: rows older than keep_days
 * or keep_days_data are deleted, and the oldest beyond max_mib. */
enum turn audit_duty(struct duty_run *run);

#endif
