/* The part of the C library that BearSSL asks for, on a device that has none. */
#ifndef SHAKEDOWN_STRING_H
#define SHAKEDOWN_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);

#endif
