/* The exact texts of the errors that users see. All begin with their code. */
#ifndef TERN_ENGINE_ERRORS_H
#define TERN_ENGINE_ERRORS_H

#define ERR_SYNTAX       "ERR syntax error"
#define ERR_WRONG_TYPE   "WRONGTYPE Operation against a key holding the wrong kind of value"
#define ERR_NOT_INTEGER  "ERR value is not an integer or out of range"
#define ERR_OUT_OF_MEMORY "OOM command not allowed when used memory > 'maxmemory'."
#define ERR_LOADING "LOADING Redis is loading the dataset in memory"
#define ERR_SNAPSHOT_FAILED                                                                        \
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "  \
    "disk. Commands that may modify the data set are disabled, because this instance is "          \
    "configured to report errors during writes if RDB snapshotting fails "                         \
    "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB " \
    "error."
#define ERR_OUT_OF_RANGE "ERR value is out of range"
#define ERR_OUT_OF_INT_RANGE "ERR value is out of range, value must between -2147483648 and 2147483647"
#define ERR_OUT_OF_LONG_RANGE                                                                      \
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
#define ERR_NOT_POSITIVE "ERR value is out of range, must be positive"
#define ERR_NOT_FLOAT    "ERR value is not a valid float"
#define ERR_NO_SUCH_KEY  "ERR no such key"
#define ERR_OVERFLOW     "ERR increment or decrement would overflow"
#define ERR_DECR_OVERFLOW "ERR decrement would overflow"
#define ERR_NAN_OR_INF   "ERR increment would produce NaN or Infinity"
#define ERR_STRING_SIZE  "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
#define ERR_OFFSET       "ERR offset is out of range"
#define ERR_DB_INDEX     "ERR DB index is out of range"
#define ERR_INDEX        "ERR index out of range"
#define ERR_RANK_ZERO                                                                              \
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "   \
    "negative to start from the end of the list"
#define ERR_COUNT_NEGATIVE  "ERR COUNT can't be negative"
#define ERR_MAXLEN_NEGATIVE "ERR MAXLEN can't be negative"
#define ERR_COUNT_NOT_POSITIVE   "ERR count should be greater than 0"
#define ERR_NUMKEYS_NOT_POSITIVE "ERR numkeys should be greater than 0"
#define ERR_SAME_OBJECT  "ERR source and destination objects are the same"

#define ERR_TIMEOUT_NEGATIVE "ERR timeout is negative"
#define ERR_TIMEOUT_FLOAT    "ERR timeout is not a float or out of range"
#define ERR_TIMEOUT_RANGE    "ERR timeout is out of range"
#define ERR_TIMEOUT_INTEGER  "ERR timeout is not an integer or out of range"

#define ERR_NOAUTH           "NOAUTH Authentication required."
#define ERR_WRONGPASS        "WRONGPASS invalid username-password pair or user is disabled."
#define ERR_NO_PASSWORD                                                                            \
    "ERR AUTH <password> called without any password configured for the default user. Are you "   \
    "sure your configuration is correct?"
#define ERR_NOPROTO          "NOPROTO unsupported protocol version"
#define ERR_PROTOVER         "ERR Protocol version is not an integer or out of range"

#define ERR_EXEC_ABORT       "EXECABORT Transaction discarded because of previous errors."
#define ERR_NESTED_MULTI     "ERR MULTI calls can not be nested"
#define ERR_EXEC_ALONE       "ERR EXEC without MULTI"
#define ERR_DISCARD_ALONE    "ERR DISCARD without MULTI"
#define ERR_WATCH_IN_MULTI   "ERR WATCH inside MULTI is not allowed"
#define ERR_NOT_IN_MULTI     "ERR Command not allowed inside a transaction"
#define ERR_UNBLOCKED        "UNBLOCKED client unblocked via CLIENT UNBLOCK"

#define ERR_MAX_CLIENTS      "ERR max number of clients reached"
#define ERR_PROTECTED_MODE                                                                         \
    "DENIED Redis is running in protected mode because protected mode is enabled and no password " \
    "is set for the default user. In this mode connections are only accepted from the loopback "  \
    "interface. If you want to connect from external computers to Redis you may adopt one of the " \
    "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET "         \
    "protected-mode no' from the loopback interface by connecting to Redis from the same host the " \
    "server is running, however MAKE SURE Redis is not publicly accessible from internet if you " \
    "do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just "     \
    "disable the protected mode by editing the Redis configuration file, and setting the "        \
    "protected mode option to 'no', and then restarting the server. 3) If you started the server " \
    "manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an "  \
    "authentication password for the default user. NOTE: You only need to do one of the above "   \
    "things in order for the server to start accepting connections from the outside."

#endif
