/* What an answer is to who asked by words. */
#ifndef MG_CLI_JUDGE_H
#define MG_CLI_JUDGE_H

#include "door.h"
#include "json.h"
#include "order.h"

/* CLI_OK, or what the command ends with: the refusal was told. reply: the
 * answer's body, NULL when it is no JSON. */
int judge(const struct order *o, const struct answer *a,
          const struct json *reply) MUST_USE;

#endif
