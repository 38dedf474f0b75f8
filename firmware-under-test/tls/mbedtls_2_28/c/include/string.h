/* string.h as far as Mbed TLS 2.28 asks for it; c_library.rs of the crate esp32c3 and the compiler have the functions. */
#ifndef SHAKEDOWN_STRING_H
#define SHAKEDOWN_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *at, int byte, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t length);
char *strchr(const char *text, int wanted);
char *strstr(const char *text, const char *wanted);

#endif
