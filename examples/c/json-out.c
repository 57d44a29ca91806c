#include "json-out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void append(struct bytes *bytes, const char *data, size_t len) {
    if (bytes->capacity - bytes->len < len) {
        size_t capacity = bytes->capacity > 2048 ? bytes->capacity : 2048;
        char *grown;
        while (capacity - bytes->len < len) {
            capacity *= 2;
        }
        grown = realloc(bytes->data, capacity);
        if (grown == NULL) {
            fputs("out of memory\n", stderr);
            exit(EXIT_OUT_OF_MEMORY);
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    if (len > 0) {
        memcpy(bytes->data + bytes->len, data, len);
        bytes->len += len;
    }
}

void append_string(struct bytes *bytes, const char *text) {
    append(bytes, text, strlen(text));
}

/* Configurations hold secrets; volatile keeps the compiler from dropping the writes. */
void wipe(struct bytes *bytes) {
    volatile char *data = bytes->data;
    size_t index;
    for (index = 0; index < bytes->capacity; index++) {
        data[index] = 0;
    }
    free(bytes->data);
    bytes->data = NULL;
    bytes->len = bytes->capacity = 0;
}

void append_text(struct bytes *out, const char *text, size_t len) {
    size_t index;
    append_string(out, "\"");
    for (index = 0; index < len; index++) {
        unsigned char byte = (unsigned char)text[index];
        char escaped[8];
        switch (byte) {
        case '"': append_string(out, "\\\""); break;
        case '\\': append_string(out, "\\\\"); break;
        case '\n': append_string(out, "\\n"); break;
        case '\r': append_string(out, "\\r"); break;
        case '\t': append_string(out, "\\t"); break;
        default:
            if (byte < 0x20) {
                snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)byte);
                append_string(out, escaped);
            } else {
                append(out, text + index, 1);
            }
        }
    }
    append_string(out, "\"");
}

void append_integer(struct bytes *out, int64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    append_string(out, digits);
}

void append_base64(struct bytes *out, const uint8_t *data, size_t len) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t index;
    append_string(out, "\"");
    for (index = 0; index < len; index += 3) {
        size_t left = len - index;
        uint32_t group = (uint32_t)data[index] << 16;
        char four[4];
        if (left > 1) {
            group |= (uint32_t)data[index + 1] << 8;
        }
        if (left > 2) {
            group |= data[index + 2];
        }
        four[0] = alphabet[group >> 18];
        four[1] = alphabet[group >> 12 & 63];
        four[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[group & 63] : '=';
        append(out, four, 4);
    }
    append_string(out, "\"");
}

static int64_t floor_divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0);
}

/* RFC 3339 in UTC; the calendar is Howard Hinnant's civil_from_days, because gmtime is not thread-safe in C99. */
void append_time(struct bytes *out, int64_t unix_ms) {
    int64_t seconds = floor_divide(unix_ms, 1000);
    int64_t days = floor_divide(seconds, 86400);
    int ms = (int)(unix_ms - seconds * 1000);
    int second_of_day = (int)(seconds - days * 86400);
    int64_t shifted = days + 719468;
    int64_t era = floor_divide(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    int64_t year = year_of_era + era * 400 + (month >= 10);
    char text[64];
    snprintf(text, sizeof text, "\"%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", year,
             (int)(month < 10 ? month + 3 : month - 9), day, second_of_day / 3600, second_of_day / 60 % 60,
             second_of_day % 60);
    append_string(out, text);
    if (ms != 0) {
        snprintf(text, sizeof text, ".%03d", ms);
        append_string(out, text);
    }
    append_string(out, "Z\"");
}
