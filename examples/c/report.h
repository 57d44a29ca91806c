/* Errors as one JSON line on standard error, and the exit code each leads to. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "json-out.h"
#include "smimesync.h"

/* Codes from -1 to -99 are free for hosts. */
enum { HOST_USAGE = -1, HOST_OUTPUT = -2 };

enum exit_code {
    EXIT_DONE = 0,
    EXIT_ROWS_FAILED = 2,
    EXIT_GUARD = 3,
    EXIT_CONFIG = 10,
    EXIT_AUTH = 11,
    EXIT_DIRECTORY = 12,
    EXIT_EXCHANGE = 13,
    EXIT_LOCKED = 20,
    EXIT_CANCELLED = 30,
    EXIT_INTERNAL = 70
};

/* Prints the error of a verb and frees it. */
enum exit_code report_and_free(smimesync_error *error);

/* Prints an error of this program itself, in the same form. */
void report_own(int code, const char *category, const char *area, const char *target, const char *message);

/* Writes a line and gives its memory back. */
void print_line(struct bytes *line, FILE *file);

/* Whether text of the library is this name. */
int text_equals(const char *text, size_t len, const char *name);

#endif
