/* Certificates, as far as somebody has to be told that one ends. */
#define ERR_STATE openssl_err_state /* a type of theirs, a class of ours */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "certificate.h"

#include <stdio.h>
#include <time.h>

int64_t
certificate_end_s(const char *path)
{
    FILE *f = str_empty(path) ? NULL : fopen(path, "re");
    X509 *x = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    struct tm tm = { 0 };
    int64_t end_s = 0;

    if (x != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1)
        end_s = timegm(&tm);
    X509_free(x);
    ERR_clear_error();
    if (f != NULL)
        (void)fclose(f);
    return end_s;
}
