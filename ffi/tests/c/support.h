/*
 * What the tests in C share: a check, a server and a client in one process, and events waited for.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    ((condition) ? (void)0 \
                 : (fprintf(stderr, "%s:%d: %s does not hold (%s)\n", __FILE__, __LINE__, #condition, lbx_error_text()), \
                    exit(1)))

enum { WIDTH = 200, HEIGHT = 100 };

static inline lbx_server *new_server(void)
{
    const lbx_server_config config = { .size = sizeof config, .listen = "127.0.0.1:0", .workers = LBX_NONE };
    lbx_server *server = NULL;
    CHECK(lbx_server_new(&config, &server) == LBX_OK);
    return server;
}

struct pair {
    lbx_server *server;
    lbx_output *output;
    lbx_client *client;
    lbx_session_id session;
    uint32_t surface;
};

/* The next event of this kind; others before it are skipped. Pointers live until the next call. */
static inline lbx_server_event server_event(lbx_server *server, uint32_t kind)
{
    lbx_server_event event = { .size = sizeof event };
    for (;;) {
        const lbx_result result = lbx_server_next_event(server, &event);
        CHECK(result == LBX_OK || result == LBX_AGAIN);
        if (result == LBX_OK && event.kind == kind)
            return event;
        struct pollfd fd = { .fd = lbx_server_event_fd(server), .events = POLLIN };
        if (result == LBX_AGAIN)
            poll(&fd, 1, -1);
    }
}

static inline lbx_client_event client_event(lbx_client *client, uint32_t kind)
{
    lbx_client_event event = { .size = sizeof event };
    for (;;) {
        const lbx_result result = lbx_client_next_event(client, &event);
        CHECK(result == LBX_OK || result == LBX_AGAIN);
        if (result == LBX_OK && event.kind == kind)
            return event;
        CHECK(result == LBX_AGAIN || event.kind != LBX_CLIENT_ENDED);
        struct pollfd fd = { .fd = lbx_client_event_fd(client), .events = POLLIN };
        if (result == LBX_AGAIN)
            poll(&fd, 1, -1);
    }
}

static inline struct pair new_pair(void)
{
    struct pair pair = { .server = new_server() };
    CHECK(lbx_output_new(pair.server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &pair.output) == LBX_OK);
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(pair.server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_client_config config = { .size = sizeof config, .address = address, .terminal = "contract" };
    CHECK(lbx_client_new(&config, &pair.client) == LBX_OK);
    const lbx_server_event joined = server_event(pair.server, LBX_SERVER_JOINED);
    CHECK(strcmp(joined.text, "contract") == 0);
    pair.session = joined.session;
    const lbx_client_event connected = client_event(pair.client, LBX_CLIENT_CONNECTED);
    CHECK(memcmp(&connected.session, &pair.session, sizeof pair.session) == 0);
    const lbx_client_event surface = client_event(pair.client, LBX_CLIENT_SURFACE);
    CHECK(surface.w == WIDTH && surface.h == HEIGHT && surface.format == LBX_FORMAT_BGRX8);
    pair.surface = surface.surface;
    return pair;
}

#endif
