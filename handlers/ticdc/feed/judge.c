#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "config.h"
#include "ticdc/rules/zone.h"
#include "ticdc/upstream.h"

#define NAMED_MAX 20 /* tables that a message lists */

enum err
judge_refuse(struct req *r, const struct judged *j, enum err e,
             const struct sink_fault *why)
{
    if (e != ERR_BAD_PARAM && e != ERR_STATE && e != ERR_PEER)
        return e;
    if (j->code == NULL ||
        (e == ERR_PEER && strcmp(why->code, "CDC:ErrNewStore") == 0))
        return ticdc_refuse(r, why->code, why->text);
    return ticdc_refuse(r, j->code,
                        arena_printf(r->arena,
                                     "changefeed update error: [%s]%s",
                                     why->code, why->text));
}

enum err
judge_source(struct req *r, struct judged *j, const char *gtids)
{
    struct sink_fault why = { "", "" };
    enum err e;

    if (j->is_open)
        return ERR_OK;
    e = feed_source_open(r->arena, gtids, ticdc_until(r), &j->source, &why);
    j->is_open = e == ERR_OK;
    return judge_refuse(r, j, e, &why);
}

enum err
judge_sink(struct req *r, struct judged *j, const char *uri,
           const struct ticdc_config *c)
{
    const struct sink_rules rules = ticdc_sink_rules();
    struct sink_fault why = { "", "" };
    enum err e;

    j->config = c;
    e = sink_settle(r->arena, uri, c->sink_config, &rules, &j->sink, &why);
    if (e == ERR_OK && c->force_replicate)
        e = sink_forced(&j->sink, c->sink_config, &why);
    return judge_refuse(r, j, e, &why);
}

enum err
judge_filter(struct req *r, struct judged *j, const struct ticdc_config *c)
{
    struct sink_fault why = { "CDC:ErrFilterRuleInvalid", "" };
    const char **rules =
        arena_array(r->arena, c->filter_rules.n + 1, sizeof(*rules));
    char text[WHY_BYTES] = "";
    enum err e;

    if (rules == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->filter_rules.n; i++)
        rules[i] = c->filter_rules.v[i].v;
    e = filter_parse(r->arena, rules, c->filter_rules.n, c->case_sensitive,
                     config()->mysql_database, &j->filter, text);
    snprintf(why.text, sizeof(why.text), "filter rule is invalid %.2048s",
             text);
    return judge_refuse(r, j, e, &why);
}

enum err
judge_tables(struct req *r, struct judged *j, const struct ticdc_config *c)
{
    struct sink_fault why = { "CDC:ErrTableIneligible", "" };
    struct buf b = BUF_INIT(2048);
    struct feed_table *v;
    size_t n, bad = 0;
    enum err e;

    if (c->force_replicate || c->ignore_ineligible_table)
        return ERR_OK;
    e = judge_source(r, j, NULL);
    if (e != ERR_OK)
        return e;
    e = feed_source_tables(r->arena, &j->source, j->filter, &v, &n, &why);
    if (e != ERR_OK)
        return judge_refuse(r, j, e, &why);
    for (size_t i = 0; i < n; i++) {
        if (v[i].eligible)
            continue;
        if (bad++ < NAMED_MAX && b.n < 1500)
            buf_printf(&b, "%s%s.%s", bad > 1 ? " " : "", v[i].schema,
                       v[i].name);
    }
    if (bad > 0)
        snprintf(why.text, sizeof(why.text),
                 "some tables are not eligible to replicate([%s]%s), if you "
                 "want to ignore these tables, please set "
                 "ignore_ineligible_table to true",
                 buf_text(&b), bad > NAMED_MAX ? " and more" : "");
    buf_free(&b);
    return bad == 0 ? ERR_OK : judge_refuse(r, j, ERR_BAD_PARAM, &why);
}

enum err
judge_zone(struct req *r, struct judged *j, const char *zone)
{
    struct sink_fault why = { "", "" };
    struct zone_choice choice;

    return judge_refuse(r, j, zone_choose(r->arena, zone, &choice, &why), &why);
}

enum err
judge_target(struct req *r, struct judged *j)
{
    struct sink_fault why = { "", "" };
    enum err e = ERR_OK;

    if (j->sink.kind == SINK_MYSQL)
        e = judge_source(r, j, NULL);
    if (e != ERR_OK)
        return e;
    e = feed_target_open(r->arena, &j->sink, j->config,
                         j->is_open ? &j->source : NULL, ticdc_until(r), &why);
    return judge_refuse(r, j, e, &why);
}
