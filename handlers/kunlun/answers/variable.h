/* Variables of instances, read and set. */
#ifndef CLUSTER_VARIABLE_H
#define CLUSTER_VARIABLE_H

#include "record.h"

#define CLUSTER_VARIABLE(X, s)             \
    X(s, STR, variable, "variable", IN, -) \
    X(s, STR, ip, "ip", IN, -, .max = 64)  \
    X(s, I32, port, "port", IN, -)
STRUCT(cluster_variable, CLUSTER_VARIABLE);
#define CLUSTER_VARIABLE_PARAS(X, s)                               \
    X(s, STR, variable, "variable", IN, -, .nested = "paras")      \
    X(s, STR, ip, "hostaddr", IN, -, .max = 64, .nested = "paras", \
      .also = "ip")                                                \
    X(s, I32, port, "port", IN, -, .nested = "paras")
DECLARE_TABLE(cluster_variable_paras);

/* value_int counts when it is there; in paras `type` says what `value` is. */
#define CLUSTER_SETTING_ALL(X, s)            \
    X(s, STR, variable, "variable", IN, -)   \
    X(s, STR, type, "type", IN, -)           \
    X(s, STR, value_int, "value_int", IN, -) \
    X(s, STR, value_str, "value_str", IN, -) \
    X(s, STR, ip, "ip", IN, -)               \
    X(s, I32, port, "port", IN, -)
#define CLUSTER_SETTING(X, s)                \
    X(s, STR, variable, "variable", IN, -)   \
    X(s, STR, value_int, "value_int", IN, -) \
    X(s, STR, value_str, "value_str", IN, -) \
    X(s, STR, ip, "ip", IN, -, .max = 64)    \
    X(s, I32, port, "port", IN, -)
STRUCT(cluster_setting, CLUSTER_SETTING_ALL);
#define CLUSTER_SETTING_PARAS(X, s)                                \
    X(s, STR, variable, "variable", IN, -, .nested = "paras")      \
    X(s, STR, type, "type", IN, -, .nested = "paras")              \
    X(s, STR, value_str, "value", IN, -, .nested = "paras")        \
    X(s, STR, ip, "hostaddr", IN, -, .max = 64, .nested = "paras", \
      .also = "ip")                                                \
    X(s, I32, port, "port", IN, -, .nested = "paras")
DECLARE_TABLE(cluster_setting_paras);

#define CLUSTER_VALUE(X, s)             \
    X(s, STR, result, "result", OUT, -) \
    X(s, STR, value, "value", OUT, -)
STRUCT(cluster_value, CLUSTER_VALUE);

#endif
