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
    enum err e = ERR_OK;

    *out = (struct ticdc_config){ 0 };
    if (!str_empty(json))
        e = record_read(a, &ticdc_config_rec, json, strlen(json), 0, out);
    return e == ERR_BAD_PARAM || e == ERR_LIMIT ? ERR_STATE : e;
}

enum err
ticdc_config_write(struct arena *a, const struct ticdc_config *c,
                   const char **json)
{
    return record_text(a, &json_compact, &ticdc_config_rec, c, SECRETS_FULL,
                       TICDC_CONFIG_BYTES_MAX, json);
}
