#include "sink_config.h"

#include <string.h>

TABLE(ticdc_dispatcher, TICDC_DISPATCHER);
TABLE(ticdc_column_selector, TICDC_COLUMN_SELECTOR);
TABLE(ticdc_csv, TICDC_CSV);
TABLE(ticdc_large_message, TICDC_LARGE_MESSAGE);
TABLE(ticdc_kafka_config, TICDC_KAFKA_CONFIG);
TABLE(ticdc_mysql_config, TICDC_MYSQL_CONFIG);
TABLE(ticdc_storage_config, TICDC_STORAGE_CONFIG);
TABLE(ticdc_sink_config, TICDC_SINK_CONFIG);
TABLE(ticdc_config, TICDC_CONFIG);

enum err
ticdc_config_read(struct arena *a, const char *json, struct ticdc_config *out)
{
    const struct json *doc = NULL;
    struct json_error at;
    struct bind_error why;
    enum err e = ERR_OK;

    *out = (struct ticdc_config){ 0 };
    if (!str_empty(json))
        e = json_parse(a, json, strlen(json), JSON_OWN, &doc, &at);
    if (e == ERR_OK)
        e = record_bind(a, &ticdc_config_rec, doc, BIND_ANY_COUNT, out, &why);
    return e == ERR_BAD_PARAM || e == ERR_LIMIT ? ERR_STATE : e;
}

enum err
ticdc_config_write(struct arena *a, const struct ticdc_config *c,
                   const char **json)
{
    static const struct json_style plain = { 0 };

    return record_text(a, &plain, &ticdc_config_rec, c, SECRETS_FULL,
                       TICDC_CONFIG_BYTES_MAX, json);
}
