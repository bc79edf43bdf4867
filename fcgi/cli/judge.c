/* What an answer is to who asked by words. */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "dialect.h"
#include "endpoint.h"

static enum cli_exit
exit_of_status(int status)
{
    switch (status) {
    case 404:
        return CLI_UNKNOWN;
    case 401:
    case 403:
        return CLI_DENIED;
    case 409:
        return CLI_CONFLICT;
    case 0:
    case 502:
    case 503:
    case 504:
        return CLI_AWAY;
    default:
        return CLI_FAILED;
    }
}

/* The sentence of a refusal, under whichever name its dialect has it. */
static const char *
sentence(const struct json *reply, const char *text)
{
    static const char *const names[] = { "message",   "msg",        "info",
                                         "error_msg", "error_info", "data",
                                         "error" };

    for (size_t i = 0; reply != NULL && i < COUNT(names); i++) {
        const struct json *j = json_member(reply, names[i]);

        if (j != NULL && json_type(j) == JSON_STRING &&
            !str_empty(json_text(j)))
            return json_text(j);
    }
    return text;
}

/* A refusal that comes with status 200: {"result":"error"},
 * {"result":"failed"}.
 */
static bool
is_refused(const struct json *reply)
{
    const struct json *j = reply != NULL ? json_member(reply, "result") : NULL;

    return j != NULL && (strcmp(json_text(j), "error") == 0 ||
                         strcmp(json_text(j), "failed") == 0);
}

/* Whether that is the dialect's row of the refusal: by its code, or by its
 * sentence where refusals have none. */
static bool
is_row(const struct error_text *t, int status, const struct json *reply)
{
    const struct json *code = json_member(reply, "error_code");

    if (t->id == NULL || t->http != status)
        return false;
    if (!str_empty(t->code) && strcmp(t->code, "-") != 0)
        return code != NULL && strcmp(json_text(code), t->code) == 0;
    return strcmp(sentence(reply, ""), or_empty(t->text)) == 0;
}

static bool
has_listener(const struct dialect *d, const char *name)
{
    const struct listener *l = d->listeners;

    while (l != NULL && l->name != NULL && strcmp(l->name, name) != 0)
        l++;
    return l != NULL && l->name != NULL;
}

/* Of a dialect whose status says little, what its row of the refusal is. */
static enum cli_exit
exit_of_row(const char *listener, int status, const struct json *reply)
{
    for (size_t i = 0; reply != NULL && dialects[i] != NULL; i++) {
        const struct dialect *d = dialects[i];

        if (!has_listener(d, listener))
            continue;
        for (size_t k = 0; k < d->n_errors; k++)
            if (is_row(&d->errors[k], status, reply))
                return d->errors[k].err == ERR_NOT_FOUND ? CLI_UNKNOWN
                       : d->errors[k].err == ERR_EXISTS  ? CLI_CONFLICT
                                                         : CLI_FAILED;
    }
    return CLI_FAILED;
}

int
judge(const struct order *o, const struct answer *a, const struct json *reply)
{
    enum cli_exit status = exit_of_status(a->status);
    char what[128];

    if (a->status == 0)
        return cli_complain(CLI_AWAY, "no answer", a->why);
    if (a->status < 400 && !is_refused(reply))
        return CLI_OK;
    if (status == CLI_FAILED)
        status = exit_of_row(o->verb->listener, a->status, reply);
    (void)snprintf(what, sizeof(what), "%s %s: %d", o->verb->noun,
                   o->verb->verb, a->status);
    return cli_complain(status, what, sentence(reply, buf_text(&a->body)));
}
