/* stdio.h: Mbed TLS includes it for names that it mentions and, as it is configured here, does not call. */
#ifndef SHAKEDOWN_STDIO_H
#define SHAKEDOWN_STDIO_H

#include <stddef.h>

int printf(const char *format, ...);
int snprintf(char *into, size_t length, const char *format, ...);

#endif
