#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <direct.h>
#define getcwd _getcwd
#else
#include <unistd.h>
#endif

#include "report.h"
#include "smimesync.h"

static int read_stream(FILE *file, struct bytes *bytes) {
    char chunk[4096];
    size_t count;
    while ((count = fread(chunk, 1, sizeof chunk, file)) > 0) {
        append(bytes, chunk, count);
    }
    memset(chunk, 0, sizeof chunk);
    return ferror(file);
}

static int read_file(const char *path, struct bytes *bytes) {
    FILE *file = fopen(path, "rb");
    int failed = file == NULL || read_stream(file, bytes);
    if (failed) {
        if (errno == ENOENT) {
            report_own(SMIMESYNC_CODE_FILE_NOT_FOUND, "not_found", "config", path, "no such file");
        } else {
            report_own(SMIMESYNC_CODE_FILE_UNREADABLE, "config", "config", path, "the file cannot be read");
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return failed;
}

int read_options(const char *argument, struct bytes *bytes) {
    if (argument == NULL) {
        return 0;
    }
    if (strcmp(argument, "-") == 0) {
        return read_stream(stdin, bytes);
    }
    if (argument[0] == '{') {
        append_string(bytes, argument);
        return 0;
    }
    return read_file(argument, bytes);
}

static int is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Whether a JSON string's inside stands for `key`, an ASCII name; only \uXXXX can hide letters. */
static int key_equals(const char *text, size_t len, const char *key) {
    size_t index = 0;
    while (index < len && *key != '\0') {
        unsigned letter = (unsigned char)text[index];
        if (letter == '\\') {
            char digits[5] = {0};
            if (len - index < 6 || text[index + 1] != 'u') {
                return 0;
            }
            memcpy(digits, text + index + 2, 4);
            letter = (unsigned)strtoul(digits, NULL, 16);
            index += 5;
        }
        if (letter != (unsigned char)*key) {
            return 0;
        }
        index++;
        key++;
    }
    return index == len && *key == '\0';
}

/* Where a member can be added to a JSON object without moving what is there: the offset of its closing brace.
 * 0 where the object has the key already, or where the text is no object, which the library then says better. */
static size_t member_slot(const struct bytes *json, const char *key, int *empty) {
    size_t index = 0;
    size_t depth = 0;
    *empty = 1;
    while (index < json->len && is_space(json->data[index])) {
        index++;
    }
    if (index == json->len || json->data[index] != '{') {
        return 0;
    }
    for (; index < json->len; index++) {
        char byte = json->data[index];
        if (byte == '"') {
            size_t start = index + 1;
            size_t after;
            for (index = start; index < json->len && json->data[index] != '"'; index++) {
                index += json->data[index] == '\\';
            }
            if (index >= json->len) {
                return 0;
            }
            for (after = index + 1; after < json->len && is_space(json->data[after]); after++) {
            }
            if (depth == 1 && after < json->len && json->data[after] == ':' &&
                key_equals(json->data + start, index - start, key)) {
                return 0;
            }
            *empty = 0;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (--depth == 0) {
                return index;
            }
        }
    }
    return 0;
}

static int is_separator(char byte) {
#ifdef _WIN32
    return byte == '/' || byte == '\\';
#else
    return byte == '/';
#endif
}

static int is_absolute(const char *path) {
#ifdef _WIN32
    return is_separator(path[0]) || (path[0] != '\0' && path[1] == ':');
#else
    return is_separator(path[0]);
#endif
}

/* The folder of a file, absolute: what the configuration's file names are relative to. */
static void append_folder(struct bytes *out, const char *path) {
    size_t len = strlen(path);
    while (len > 0 && !is_separator(path[len - 1])) {
        len--;
    }
    while (len > 1 && is_separator(path[len - 1])) {
        len--;
    }
    if (!is_absolute(path)) {
        char directory[4096];
        if (getcwd(directory, sizeof directory) != NULL) {
            append_string(out, directory);
            if (len > 0 && !is_separator(directory[strlen(directory) - 1])) {
                append_string(out, "/");
            }
        }
    }
    append(out, path, len);
}

int read_config(const char *path, struct bytes *config) {
    struct bytes file = {NULL, 0, 0};
    struct bytes folder = {NULL, 0, 0};
    int empty = 0;
    size_t slot;
    if (read_file(path, &file)) {
        wipe(&file);
        return 1;
    }
    slot = member_slot(&file, "base_dir", &empty);
    append(config, file.data, slot);
    if (slot > 0) {
        append_folder(&folder, path);
        append_string(config, empty ? "\"base_dir\":" : ",\"base_dir\":");
        append_text(config, folder.data, folder.len);
        wipe(&folder);
    }
    append(config, file.data == NULL ? "" : file.data + slot, file.len - slot);
    wipe(&file);
    return 0;
}
