#include "report.h"

#include <string.h>

typedef int32_t error_text(const smimesync_error *, const char **, size_t *);

static void append_error_text(struct bytes *out, const char *key, const smimesync_error *error, error_text *get) {
    const char *text = NULL;
    size_t len = 0;
    append_string(out, ",\"");
    append_string(out, key);
    append_string(out, "\":");
    if (get(error, &text, &len) == 0 && text != NULL) {
        append_text(out, text, len);
    } else {
        append_string(out, "null");
    }
}

void print_line(struct bytes *line, FILE *file) {
    append_string(line, "\n");
    fwrite(line->data, 1, line->len, file);
    wipe(line);
}

static void report(const smimesync_error *error) {
    struct bytes line = {NULL, 0, 0};
    int64_t retry_after_ms = smimesync_error_retry_after_ms(error);
    append_string(&line, "{\"code\":");
    append_integer(&line, smimesync_error_code(error));
    append_error_text(&line, "category", error, smimesync_error_category);
    append_error_text(&line, "area", error, smimesync_error_area);
    append_error_text(&line, "target", error, smimesync_error_target);
    append_error_text(&line, "message", error, smimesync_error_message);
    append_error_text(&line, "request_id", error, smimesync_error_request_id);
    append_string(&line, ",\"retry_after_ms\":");
    if (retry_after_ms < 0) {
        append_string(&line, "null");
    } else {
        append_integer(&line, retry_after_ms);
    }
    append_string(&line, smimesync_error_is_transient(error) ? ",\"is_transient\":true}" : ",\"is_transient\":false}");
    print_line(&line, stderr);
}

/* An error of this program itself, in the same form. */
void report_own(int code, const char *category, const char *area, const char *target, const char *message) {
    struct bytes line = {NULL, 0, 0};
    append_string(&line, "{\"code\":");
    append_integer(&line, code);
    append_string(&line, ",\"category\":");
    append_text(&line, category, strlen(category));
    append_string(&line, ",\"area\":");
    append_text(&line, area, strlen(area));
    append_string(&line, ",\"target\":");
    append_text(&line, target, strlen(target));
    append_string(&line, ",\"message\":");
    append_text(&line, message, strlen(message));
    append_string(&line, ",\"request_id\":null,\"retry_after_ms\":null,\"is_transient\":false}");
    print_line(&line, stderr);
}

int text_equals(const char *text, size_t len, const char *name) {
    return text != NULL && strlen(name) == len && memcmp(text, name, len) == 0;
}

static enum exit_code exit_code_of(const smimesync_error *error) {
    static const struct {
        const char *name;
        enum exit_code code;
    } by_category[] = {
        {"guard", EXIT_GUARD},       {"config", EXIT_CONFIG},    {"invalid", EXIT_CONFIG},
        {"not_found", EXIT_CONFIG},  {"ambiguous", EXIT_CONFIG}, {"unsupported", EXIT_CONFIG},
        {"auth", EXIT_AUTH},         {"denied", EXIT_AUTH},      {"directory_incomplete", EXIT_DIRECTORY},
        {"throttled", EXIT_EXCHANGE}, {"locked", EXIT_LOCKED},   {"cancelled", EXIT_CANCELLED},
        {"store", EXIT_INTERNAL},    {"internal", EXIT_INTERNAL},
    }, by_area[] = {
        {"directory", EXIT_DIRECTORY}, {"exchange", EXIT_EXCHANGE}, {"trust", EXIT_CONFIG}, {"config", EXIT_CONFIG},
        {"host", EXIT_CONFIG},
    };
    const char *text = NULL;
    size_t len = 0;
    size_t index;
    smimesync_error_category(error, &text, &len);
    for (index = 0; index < sizeof by_category / sizeof *by_category; index++) {
        if (text_equals(text, len, by_category[index].name)) {
            return by_category[index].code;
        }
    }
    smimesync_error_area(error, &text, &len);
    for (index = 0; index < sizeof by_area / sizeof *by_area; index++) {
        if (text_equals(text, len, by_area[index].name)) {
            return by_area[index].code;
        }
    }
    return EXIT_INTERNAL;
}

enum exit_code report_and_free(smimesync_error *error) {
    enum exit_code code = exit_code_of(error);
    report(error);
    smimesync_error_free(error);
    return code;
}
