/* assert.h: Mbed TLS includes it, and asserts nothing as it is configured here. */
