/* Shapes of configuration texts, for rows of config.def. */
#ifndef MG_CONFIG_RULES_H
#define MG_CONFIG_RULES_H

#include "config_keys.h"

config_rule_fn is_log_level, is_log_format, is_zone, is_schema, is_compression;
config_rule_fn is_networks; /* "10.0.0.0/8=read, ..." */
config_rule_fn is_names;    /* "a.example, b" */
config_rule_fn is_servers;  /* "unix:/path, host:port" */
config_rule_fn is_pem;      /* a file, or nothing */
config_rule_fn is_log_file; /* a file, off, or nothing */

#endif
