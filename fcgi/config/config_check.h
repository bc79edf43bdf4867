/* Shapes of configuration texts: NULL when the value is well, else what is
 * wrong with it, as the end of a sentence. Static texts. */
#ifndef MG_CONFIG_CHECK_H
#define MG_CONFIG_CHECK_H

typedef const char *config_check_fn(const char *value);

config_check_fn is_log_level, is_level, is_zone, is_schema;
config_check_fn is_networks; /* "10.0.0.0/8=read, ..." */
config_check_fn is_names;    /* "a.example, b" */
config_check_fn is_servers;  /* "unix:/path, host:port" */
config_check_fn is_pem;      /* a file, or nothing */

#endif
