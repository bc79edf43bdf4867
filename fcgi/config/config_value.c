/* Texts as values of configuration keys. */
#include "config_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static enum err
parse_str(const struct conf_row *row, const char *value,
          struct conf_reason *why)
{
    const char *wrong;

    for (const unsigned char *p = (const unsigned char *)value; *p != '\0';
         p++) {
        if (*p < 0x20 || *p == 0x7f) {
            (void)snprintf(why->text, sizeof(why->text),
                           "must not hold control characters");
            return ERR_BAD_PARAM;
        }
    }
    wrong = row->rule != NULL ? row->rule(value) : NULL;
    if (wrong == NULL)
        return ERR_OK;
    (void)snprintf(why->text, sizeof(why->text), "%s", wrong);
    return ERR_BAD_PARAM;
}

static enum err
parse_int(const struct conf_row *row, const char *value, int64_t *out,
          struct conf_reason *why)
{
    long long v;
    char *end;

    errno = 0;
    v = strtoll(value, &end, 10);
    *out = v;
    if (end != value && *end == '\0' && errno == 0 && v >= row->min &&
        v <= row->max)
        return ERR_OK;
    (void)snprintf(why->text, sizeof(why->text),
                   "must be a whole number from %lld to %lld",
                   (long long)row->min, (long long)row->max);
    return ERR_BAD_PARAM;
}

static enum err
parse_bool(const char *value, bool *out, struct conf_reason *why)
{
    static const char *const words[][2] = {
        { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }
    };

    for (size_t w = 0; w < COUNT(words); w++) {
        for (size_t v = 0; v < 2; v++) {
            if (strcasecmp(value, words[w][v]) == 0) {
                *out = v == 1;
                return ERR_OK;
            }
        }
    }
    (void)snprintf(why->text, sizeof(why->text), "must be yes or no");
    return ERR_BAD_PARAM;
}

enum err
config_parse(const struct conf_row *row, const char *value,
             union conf_value *out, struct conf_reason *why)
{
    switch (row->type) {
    case CONF_IS_INT:
        return parse_int(row, value, &out->i, why);
    case CONF_IS_BOOL:
        return parse_bool(value, &out->b, why);
    case CONF_IS_STR:
        break;
    }
    out->s = value;
    return parse_str(row, value, why);
}
