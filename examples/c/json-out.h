/* JSON text into bytes that grow. */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stddef.h>
#include <stdint.h>

/* The process ends with this code where there is no memory; it is that of a defect. */
enum { EXIT_OUT_OF_MEMORY = 70 };

/* Starts as {NULL, 0, 0}; ends with wipe. */
struct bytes {
    char *data;
    size_t len;
    size_t capacity;
};

void append(struct bytes *bytes, const char *data, size_t len);
void append_string(struct bytes *bytes, const char *text);

/* Zeroes and frees: configurations hold secrets. */
void wipe(struct bytes *bytes);

/* A JSON string of UTF-8 text. */
void append_text(struct bytes *out, const char *text, size_t len);
void append_integer(struct bytes *out, int64_t value);
void append_base64(struct bytes *out, const uint8_t *data, size_t len);

/* RFC 3339 in UTC of milliseconds since 1970, with milliseconds only where they are not zero. */
void append_time(struct bytes *out, int64_t unix_ms);

#endif
