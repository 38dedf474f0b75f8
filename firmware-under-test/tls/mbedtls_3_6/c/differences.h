/* What only Mbed TLS 3.6 needs in a session: nothing. */
#ifndef SHAKEDOWN_DIFFERENCES_H
#define SHAKEDOWN_DIFFERENCES_H

typedef struct {
    char nothing;
} shakedown_differences;

#endif
