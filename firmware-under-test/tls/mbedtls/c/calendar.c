/* The calendar, for the dates of certificates. */

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"

/* MBEDTLS_PLATFORM_GMTIME_R_ALT. Days to a date of the proleptic Gregorian calendar, years counted from 1 March so that
 * the leap day is the last of its year. */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *unix_time_s, struct tm *out)
{
    int64_t days = *unix_time_s / 86400;
    int64_t second_of_day = *unix_time_s % 86400;
    if (second_of_day < 0) {
        second_of_day += 86400;
        days -= 1;
    }
    days += 719468; /* from 0000-03-01 to 1970-01-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        return NULL;
    }
    memset(out, 0, sizeof(*out));
    out->tm_sec = (int) (second_of_day % 60);
    out->tm_min = (int) (second_of_day / 60 % 60);
    out->tm_hour = (int) (second_of_day / 3600);
    out->tm_mday = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1);
    out->tm_mon = (int) (month - 1);
    out->tm_year = (int) (year - 1900);
    return out;
}
