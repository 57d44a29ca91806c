/* What OpenSSL's library says of chains of three, read from standard input, so that no process is started for each.
 *
 *   chains judge          a line per chain: what is against it, separated by tabs; empty where nothing is; "unreadable"
 *   chains time SECONDS   verifies one chain over and over, its leaf read each time: "CHAINS NANOSECONDS"
 *
 * The input: the time in seconds since 1970 (8 bytes), the anchor; then of each chain the issuer and the leaf.
 * Certificates are DER with their length in front (4 bytes); numbers are big-endian.
 */
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST = 1 << 24 };

struct bytes {
    unsigned char *data;
    size_t length;
};

static int number(unsigned width, uint64_t *value)
{
    unsigned char digits[8];
    if (fread(digits, 1, width, stdin) != width) return 0;
    *value = 0;
    for (unsigned place = 0; place < width; place++) *value = *value << 8 | digits[place];
    return 1;
}

static int certificate(struct bytes *bytes)
{
    uint64_t length;
    if (!number(4, &length) || length > LONGEST) return 0;
    bytes->length = (size_t)length;
    bytes->data = malloc(bytes->length + 1);
    return bytes->data && fread(bytes->data, 1, bytes->length, stdin) == bytes->length;
}

static X509 *parsed(const struct bytes *bytes)
{
    const unsigned char *at = bytes->data;
    X509 *found = d2i_X509(NULL, &at, (long)bytes->length);
    if (found && at == bytes->data + bytes->length) return found;
    X509_free(found);
    return NULL;
}

/* Says what is wrong and goes on, so that nothing hides behind the first thing. */
static int said(int good, X509_STORE_CTX *context)
{
    int *count = X509_STORE_CTX_get_app_data(context);
    if (!good && count) printf("%s%s", (*count)++ ? "\t" : "", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    return count ? 1 : good;
}

/* Whether a leaf has a good path; with a count each obstacle is printed and passed. */
static int verify(X509_STORE *store, STACK_OF(X509) *issuers, X509 *leaf, int *count)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (!context || !X509_STORE_CTX_init(context, store, leaf, issuers)) return 0;
    X509_STORE_CTX_set_app_data(context, count);
    X509_STORE_CTX_set_verify_cb(context, said);
    int good = X509_verify_cert(context) == 1;
    if (!good && count && !*count) printf("not verified");
    X509_STORE_CTX_free(context);
    return good;
}

static int judge(X509_STORE *store)
{
    struct bytes bytes[2] = {{NULL, 0}, {NULL, 0}};
    while (certificate(&bytes[0]) && certificate(&bytes[1])) {
        X509 *issuer = parsed(&bytes[0]), *leaf = parsed(&bytes[1]);
        STACK_OF(X509) *issuers = sk_X509_new_null();
        int count = 0;
        if (!issuer || !leaf || !sk_X509_push(issuers, issuer)) printf("unreadable");
        else verify(store, issuers, leaf, &count);
        printf("\n");
        fflush(stdout);
        sk_X509_free(issuers);
        X509_free(issuer);
        X509_free(leaf);
        free(bytes[0].data);
        free(bytes[1].data);
    }
    return 0;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int measure(X509_STORE *store, double seconds)
{
    struct bytes bytes[2];
    if (!certificate(&bytes[0]) || !certificate(&bytes[1])) return 2;
    X509 *issuer = parsed(&bytes[0]);
    STACK_OF(X509) *issuers = sk_X509_new_null();
    if (!issuer || !sk_X509_push(issuers, issuer)) return 2;
    uint64_t begun = now(), spent = 0, chains = 0;
    while ((double)spent < seconds * 1e9) {
        for (int round = 0; round < 100; round++, chains++) {
            X509 *leaf = parsed(&bytes[1]);
            if (!leaf || !verify(store, issuers, leaf, NULL)) return 3;
            X509_free(leaf);
        }
        spent = now() - begun;
    }
    printf("%llu %llu\n", (unsigned long long)chains, (unsigned long long)spent);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t at;
    struct bytes anchor;
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    if (argc < 2 || !number(8, &at) || !certificate(&anchor)) return 2;
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    if (!X509_STORE_add_cert(store, parsed(&anchor))) return 2;
    if (strcmp(argv[1], "time") == 0 && argc == 3) return measure(store, atof(argv[2]));
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK);
    X509_VERIFY_PARAM_add0_policy(param, OBJ_txt2obj("2.5.29.32.0", 1));
    return judge(store);
}
