/* The configuration and the options of the command line. Both functions report what is wrong and return 0 or 1. */
#ifndef INPUT_H
#define INPUT_H

#include "json-out.h"

/* A configuration file. File names in it are relative to its folder: "base_dir" is added where it is absent. */
int read_config(const char *path, struct bytes *config);

/* NULL is no options, "-" is standard input, text that starts with "{" the options themselves, all else a file. */
int read_options(const char *argument, struct bytes *options);

#endif
