/* smimesync-host: runs one verb of the SmimeSync library and prints a JSON line for each row.
 *
 *     smimesync-host CONFIG.json VERB [OPTIONS.json]
 *
 * OPTIONS.json is a file, "-" for standard input, or the JSON object itself.
 * Rows go to standard output. Events ("level code text") and the error that ended the verb (one JSON line) go to
 * standard error. Ctrl+C cancels; a second Ctrl+C ends the process at once.
 *
 * Exit codes: 0 done, 2 done and some rows carry an error, 3 a guard stopped it, 10 configuration or options,
 * 11 sign-in or rights, 12 directory, 13 Exchange Online, 20 locked by another process, 30 cancelled,
 * 70 store or defect.
 *
 * Build (C99), from the root of the repository:
 *     cc -std=c99 -Iinclude -o smimesync-host examples/c/{smimesync-host,input,report,json-out}.c -Ltarget/debug -lsmimesync
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#include "input.h"
#include "report.h"
#include "smimesync.h"

enum { POLL_MS = 100 };

typedef int32_t verb_function(smimesync_session *, const char *, size_t, smimesync_cursor **, smimesync_error **);

static const struct {
    const char *name;
    verb_function *run;
} VERBS[] = {
    {"check", smimesync_check},     {"fetch", smimesync_fetch},           {"validate", smimesync_validate},
    {"coverage", smimesync_coverage}, {"keys", smimesync_keys},           {"recipients", smimesync_recipients},
    {"compare", smimesync_compare}, {"sync", smimesync_sync},             {"publish", smimesync_publish},
    {"prune", smimesync_prune},     {"issuers", smimesync_issuers},       {"runs", smimesync_runs},
    {"changes", smimesync_changes}, {"settings", smimesync_settings},     {"columns", smimesync_columns},
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
    interrupted = 1;
    signal(signal_number, SIG_DFL);
}

static void append_row(struct bytes *out, const smimesync_cursor *cursor);

static void append_nested(struct bytes *out, const smimesync_cursor *cursor, uint32_t column, int32_t type) {
    smimesync_cursor *rows = NULL;
    int first = 1;
    append_string(out, "[");
    if (smimesync_column_rows(cursor, column, &rows) == 0) {
        while (smimesync_cursor_next(rows, 0, NULL) == SMIMESYNC_ROW) {
            if (!first) {
                append_string(out, ",");
            }
            first = 0;
            if (type == SMIMESYNC_LIST) {
                const char *text = NULL;
                size_t len = 0;
                smimesync_column_text(rows, 0, &text, &len);
                append_text(out, text, len);
            } else {
                append_row(out, rows);
            }
        }
        smimesync_cursor_free(rows);
    }
    append_string(out, "]");
}

static void append_value(struct bytes *out, const smimesync_cursor *cursor, uint32_t column) {
    int32_t type = smimesync_column_type(cursor, column);
    const char *text = NULL;
    const uint8_t *data = NULL;
    size_t len = 0;
    int64_t number = 0;
    switch (type) {
    case SMIMESYNC_INTEGER:
        smimesync_column_int64(cursor, column, &number);
        append_integer(out, number);
        break;
    case SMIMESYNC_BOOLEAN:
        smimesync_column_int64(cursor, column, &number);
        append_string(out, number ? "true" : "false");
        break;
    case SMIMESYNC_TIME:
        smimesync_column_int64(cursor, column, &number);
        append_time(out, number);
        break;
    case SMIMESYNC_TEXT:
        smimesync_column_text(cursor, column, &text, &len);
        append_text(out, text, len);
        break;
    case SMIMESYNC_BLOB:
        smimesync_column_blob(cursor, column, &data, &len);
        append_base64(out, data, len);
        break;
    case SMIMESYNC_LIST:
    case SMIMESYNC_ROWS:
        append_nested(out, cursor, column, type);
        break;
    default:
        append_string(out, "null");
    }
}

static void append_row(struct bytes *out, const smimesync_cursor *cursor) {
    uint32_t count = smimesync_column_count(cursor);
    uint32_t column;
    append_string(out, "{");
    for (column = 0; column < count; column++) {
        const char *name = NULL;
        size_t len = 0;
        smimesync_column_name(cursor, column, &name, &len);
        append_string(out, column == 0 ? "" : ",");
        append_text(out, name, len);
        append_string(out, ":");
        append_value(out, cursor, column);
    }
    append_string(out, "}");
}

static int row_failed(const smimesync_cursor *cursor) {
    uint32_t count = smimesync_column_count(cursor);
    uint32_t column;
    for (column = 0; column < count; column++) {
        const char *name = NULL;
        size_t len = 0;
        smimesync_column_name(cursor, column, &name, &len);
        if (text_equals(name, len, "error_code")) {
            return smimesync_column_type(cursor, column) != SMIMESYNC_NULL;
        }
    }
    return 0;
}

static void print_events(smimesync_cursor *cursor) {
    static const char *const names[] = {"", "error", "warn", "info", "debug"};
    int32_t level = 0;
    int32_t code = 0;
    const char *text = NULL;
    size_t len = 0;
    while (smimesync_cursor_event(cursor, &level, &code, &text, &len) == SMIMESYNC_EVENT) {
        const char *name = level >= 1 && level <= 4 ? names[level] : "debug";
        fprintf(stderr, "%s %" PRId32 " %.*s\n", name, code, (int)len, text);
    }
}

static enum exit_code print_rows(smimesync_cursor *cursor) {
    enum exit_code result = EXIT_DONE;
    int cancelled = 0;
    for (;;) {
        smimesync_error *error = NULL;
        int32_t status;
        if (interrupted && !cancelled) {
            smimesync_cursor_cancel(cursor);
            cancelled = 1;
        }
        status = smimesync_cursor_next(cursor, POLL_MS, &error);
        if (status == SMIMESYNC_ROW) {
            struct bytes line = {NULL, 0, 0};
            if (row_failed(cursor)) {
                result = EXIT_ROWS_FAILED;
            }
            append_row(&line, cursor);
            print_line(&line, stdout);
        }
        print_events(cursor);
        if (status < 0) {
            return report_and_free(error);
        }
        if (status != SMIMESYNC_ROW && fflush(stdout) != 0) {
            report_own(HOST_OUTPUT, "internal", "host", "stdout", strerror(errno));
            return EXIT_INTERNAL;
        }
        if (status == SMIMESYNC_DONE) {
            return result;
        }
    }
}

static verb_function *find_verb(const char *name) {
    size_t index;
    for (index = 0; index < sizeof VERBS / sizeof *VERBS; index++) {
        if (strcmp(VERBS[index].name, name) == 0) {
            return VERBS[index].run;
        }
    }
    return NULL;
}

static enum exit_code run(verb_function *verb, const struct bytes *config, const struct bytes *options) {
    smimesync_session *session = NULL;
    smimesync_cursor *cursor = NULL;
    smimesync_error *error = NULL;
    enum exit_code result;
    if (smimesync_session_open(config->data, config->len, &session, &error) != 0) {
        return report_and_free(error);
    }
    if (verb(session, options->data, options->len, &cursor, &error) != 0) {
        result = report_and_free(error);
    } else {
        result = print_rows(cursor);
        smimesync_cursor_free(cursor);
    }
    smimesync_session_close(session);
    return result;
}

int main(int argc, char **argv) {
    struct bytes config = {NULL, 0, 0};
    struct bytes options = {NULL, 0, 0};
    verb_function *verb;
    enum exit_code result = EXIT_CONFIG;
    if (argc < 3 || argc > 4) {
        report_own(HOST_USAGE, "invalid", "host", argc > 0 ? argv[0] : "", "usage: CONFIG.json VERB [OPTIONS.json]");
        return EXIT_CONFIG;
    }
    verb = find_verb(argv[2]);
    if (verb == NULL) {
        report_own(HOST_USAGE, "invalid", "host", argv[2], "unknown verb");
        return EXIT_CONFIG;
    }
    if (smimesync_abi_version() >> 16 != SMIMESYNC_ABI_VERSION >> 16 ||
        smimesync_abi_version() < SMIMESYNC_ABI_VERSION) {
        report_own(HOST_USAGE, "unsupported", "host", smimesync_version(), "the library is older than this program");
        return EXIT_INTERNAL;
    }
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY);
#endif
    signal(SIGINT, on_interrupt);
    if (read_config(argv[1], &config) == 0 && read_options(argc == 4 ? argv[3] : NULL, &options) == 0) {
        result = run(verb, &config, &options);
    }
    wipe(&config);
    wipe(&options);
    return result;
}
