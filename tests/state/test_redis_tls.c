/* SPDX-License-Identifier: Apache-2.0 */
/* TLS towards a real server: built only where hiredis has it. Authorities and certificates are made by
 * the openssl command. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/state/leaks.h"
#include "tests/state/redis_cluster.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

static struct test_redis redis;
static struct shoal_message message;
static char folder[64], url[64];
static char files[8][96]; /* ca, other ca, server, its key, client, its key */
enum { CA, OTHER_CA, SERVER, SERVER_KEY, CLIENT, CLIENT_KEY };

/* An authority that signs the server's certificate, for 127.0.0.1 only, and a client's; and one that signs
 * nothing. */
static void make_certificates(void)
{
    char command[2048];
    (void)snprintf(
        command, sizeof command,
        "cd %s && exec >log 2>&1 && set -e\n"
        "for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$ca "
        "-keyout $ca.key -out $ca.pem; done\n"
        "for one in server client; do\n"
        "  openssl req -newkey rsa:2048 -nodes -subj /CN=$one -keyout $one.key -out $one.csr\n"
        "  printf 'subjectAltName=IP:127.0.0.1' >$one.ext\n"
        "  openssl x509 -req -in $one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
        "-extfile $one.ext -out $one.pem\n"
        "done\n",
        folder);
    cr_assert_eq(system(command), 0, "see %s/log", folder);
}

static void start_with(const char *clients)
{
    static char port[8];
    int number = test_free_port();
    (void)snprintf(port, sizeof port, "%d", number);
    (void)snprintf(url, sizeof url, "rediss://127.0.0.1:%d", number);
    const char *options[] = {"--bind",          "127.0.0.1",   "--tls-port",      port,
                             "--tls-cert-file", files[SERVER], "--tls-key-file",  files[SERVER_KEY],
                             "--tls-auth-clients", clients,    "--tls-ca-cert-file", files[CA],
                             NULL};
    test_redis_start(&redis, options);
}

static void start(void)
{
    static const char *const names[] = {"ca.pem",     "other.pem",  "server.pem",
                                        "server.key", "client.pem", "client.key"};
    (void)strcpy(folder, "/tmp/shoal-tls-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)snprintf(files[i], sizeof files[i], "%s/%s", folder, names[i]);
    make_certificates();
    start_with("no");
}

static void stop(void)
{
    char command[128];
    test_redis_stop(&redis);
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    (void)!system(command);
}

TestSuite(redis_tls, .init = start, .fini = stop);

static struct shoal_store *make(const char *where, struct shoal_redis_tls_files tls)
{
    struct shoal_redis_options options = {.url = where, .topic = "t", .tls = tls, .timeout_ms = 2000};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

static struct shoal_store *open_tls(struct conformance *self)
{
    (void)self;
    return make(url, (struct shoal_redis_tls_files){.ca = files[CA]});
}

#define X(name)                                                                                    \
    Test(redis_tls, name)                                                                          \
    {                                                                                              \
        struct conformance self = {.open = open_tls};                                              \
        conformance_##name(&self);                                                                 \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

static void expect(struct shoal_store *store, enum shoal_status expected, const char *words)
{
    enum shoal_status status = store->ops->open(store, 4, &message);
    cr_assert_eq(status, expected, "%s: %s", shoal_status_code(status), message.text);
    cr_assert_not_null(strstr(message.text, words), "no '%s' in: %s", words, message.text);
    store->ops->destroy(store);
}

Test(redis_tls, certificate_of_an_unknown_authority_is_not_accepted)
{
    expect(make(url, (struct shoal_redis_tls_files){.ca = files[OTHER_CA]}), SHOAL_CONFIG,
           "certificate");
    expect(make(url, (struct shoal_redis_tls_files){0}), SHOAL_CONFIG, "redis.tls.ca");
    test_no_leaks();
}

Test(redis_tls, certificate_of_another_host_is_not_accepted)
{
    char other[64];
    (void)snprintf(other, sizeof other, "rediss://localhost:%s", strrchr(url, ':') + 1);
    expect(make(other, (struct shoal_redis_tls_files){.ca = files[CA]}), SHOAL_CONFIG, "certificate");
    test_no_leaks();
}

Test(redis_tls, files_that_cannot_be_read_are_named)
{
    struct shoal_redis_options options = {.url = url, .topic = "t", .tls = {.ca = "/none.pem"}};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "/none.pem"), "%s", message.text);
    options.tls = (struct shoal_redis_tls_files){.ca = files[CA], .certificate = files[CLIENT]};
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    options.tls.key = files[SERVER_KEY]; /* not this certificate's */
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "redis.tls.key"), "%s", message.text);
    test_no_leaks();
}

Test(redis_tls, client_shows_its_certificate_where_one_is_wanted)
{
    test_redis_stop(&redis);
    start_with("yes");
    struct shoal_store *store = make(url, (struct shoal_redis_tls_files){.ca = files[CA]});
    cr_assert_neq(store->ops->open(store, 4, &message), SHOAL_OK);
    store->ops->destroy(store);
    store = make(url, (struct shoal_redis_tls_files){
                          .ca = files[CA], .certificate = files[CLIENT], .key = files[CLIENT_KEY]});
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_tls, server_that_dies_raises_no_signal_and_is_used_again)
{
    struct shoal_store *store = open_tls(NULL);
    struct shoal_checkpoint before;
    (void)signal(SIGPIPE, SIG_DFL);
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    test_redis_kill(&redis);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_UNAVAILABLE);
    test_redis_restart(&redis);
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_tls, plain_and_encrypted_do_not_understand_each_other)
{
    char plain[64];
    (void)snprintf(plain, sizeof plain, "redis://%s", url + strlen("rediss://"));
    expect(make(plain, (struct shoal_redis_tls_files){0}), SHOAL_UNAVAILABLE, "Redis at");
    test_no_leaks();
}

/* ---- with everything else -------------------------------------------------------------------------- */

/* Certificate and login, on all nodes: those that are found are asked as the first was. */
Test(redis_tls, cluster_is_followed_with_certificate_and_login)
{
    struct test_cluster cluster;
    cr_assert(test_cluster_start_tls(&cluster, 3, folder));
    for (size_t i = 0; i < 3; i++)
        cr_assert_str_eq(test_cluster_command(&cluster, i, "ACL", "SETUSER", "shoal", "on", ">pw", "~*",
                                              "+@all", NULL), "OK");
    for (size_t i = 0; i < 3; i++)
        (void)test_cluster_command(&cluster, i, "ACL", "SETUSER", "default", "-@all", "+cluster", "+ping", NULL);
    char one[64];
    (void)snprintf(one, sizeof one, "rediss://127.0.0.1:%d", cluster.nodes[1].tls_port);
    const char *const urls[] = {cluster.url, one};
    for (size_t i = 0; i < 2; i++) {
        struct shoal_redis_options options = {.url = urls[i], .topic = "t", .login = {"shoal", "pw", NULL},
                                              .tls = {.ca = files[CA]}, .timeout_ms = 2000};
        struct shoal_store *store;
        struct shoal_checkpoint before;
        cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK);
        cr_assert_eq(store->ops->open(store, 12, &message), SHOAL_OK, "%s", message.text);
        for (int32_t p = 0; p < 12; p++) {
            cr_assert_eq(store->ops->acquire(store, p, &before, &message), SHOAL_OK, "%s", message.text);
            cr_assert_eq(test_save(store, p, "u", "1", 1, &message), SHOAL_OK, "%s", message.text);
        }
        store->ops->destroy(store);
    }
    expect(make(cluster.url, (struct shoal_redis_tls_files){.ca = files[OTHER_CA]}), SHOAL_CONFIG, "certificate");
    expect(make(cluster.url, (struct shoal_redis_tls_files){.ca = files[CA]}), SHOAL_CONFIG, "NOPERM");
    test_cluster_stop(&cluster);
    test_no_leaks();
}

/* A sentinel beside the server of the suite, with the same certificate and a password. */
static pid_t start_sentinel(int port, const char *server_port)
{
    char conf[96];
    (void)snprintf(conf, sizeof conf, "%s/sentinel.conf", folder);
    FILE *file = fopen(conf, "w");
    cr_assert_not_null(file);
    fprintf(file,
            "port 0\ntls-port %d\nbind 127.0.0.1\ndir %s\ntls-replication yes\ntls-auth-clients no\n"
            "tls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\nrequirepass looking\n"
            "sentinel monitor shop 127.0.0.1 %s 1\n",
            port, folder, files[SERVER], files[SERVER_KEY], files[CA], server_port);
    (void)fclose(file);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || !freopen("/dev/null", "w", stdout))
            _exit(1);
        (void)execlp("redis-server", "redis-server", conf, "--sentinel", (char *)NULL);
        _exit(127);
    }
    return pid;
}

Test(redis_tls, sentinels_are_asked_with_certificate_and_login_too)
{
    int port = test_free_port();
    char where[64];
    pid_t sentinel = start_sentinel(port, strrchr(url, ':') + 1);
    (void)snprintf(where, sizeof where, "rediss+sentinel://127.0.0.1:%d/shop", port);
    struct shoal_redis_options options = {.url = where, .topic = "t", .sentinels = {.password = "looking"},
                                          .tls = {.ca = files[CA]}, .timeout_ms = 2000};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s", message.text);
    enum shoal_status status = SHOAL_UNAVAILABLE;
    for (int i = 0; i < 500 && status == SHOAL_UNAVAILABLE; i++) { /* until it listens */
        status = store->ops->open(store, 4, &message);
        (void)usleep(10000);
    }
    cr_assert_eq(status, SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    expect(make(where, (struct shoal_redis_tls_files){.ca = files[CA]}), SHOAL_CONFIG, "redis.sentinel.password_file");
    expect(make(where, (struct shoal_redis_tls_files){.ca = files[OTHER_CA]}), SHOAL_CONFIG, "certificate");
    (void)kill(sentinel, SIGKILL);
    (void)waitpid(sentinel, NULL, 0);
    test_no_leaks();
}
