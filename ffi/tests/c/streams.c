/*
 * Byte streams through lightbox.h, both sides in one process: a megabyte there and back, a refusal, and misuse. Prints
 * nothing and returns 0 if all of it holds.
 */
#define _POSIX_C_SOURCE 200809L
#include <lightbox.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    ((condition) ? (void)0 \
                 : (fprintf(stderr, "streams.c:%d: %s does not hold (%s)\n", __LINE__, #condition, lbx_error_text()), \
                    exit(1)))

enum { LENGTH = 1 << 20 };

static lbx_server *server;
static lbx_client *client;

/* Waits for an event of the server of this kind; others are dropped. */
static lbx_server_event hear(uint32_t kind)
{
    lbx_server_event event = { .size = sizeof event };
    for (;;) {
        const lbx_result result = lbx_server_next_event(server, &event);
        if (result == LBX_OK && event.kind == kind)
            return event;
        if (result == LBX_AGAIN) {
            struct pollfd fd = { .fd = lbx_server_event_fd(server), .events = POLLIN };
            CHECK(poll(&fd, 1, 60000) == 1);
        } else {
            CHECK(result == LBX_OK);
        }
    }
}

static lbx_client_event see(uint32_t kind)
{
    lbx_client_event event = { .size = sizeof event };
    for (;;) {
        const lbx_result result = lbx_client_next_event(client, &event);
        if (result == LBX_OK && event.kind == kind)
            return event;
        if (result == LBX_AGAIN) {
            struct pollfd fd = { .fd = lbx_client_event_fd(client), .events = POLLIN };
            CHECK(poll(&fd, 1, 60000) == 1);
        } else {
            CHECK(result == LBX_OK);
        }
    }
}

static lbx_session_id connect_both(void)
{
    const lbx_server_config of_server = { .size = sizeof of_server, .listen = "127.0.0.1:0", .streams = 2 };
    CHECK(lbx_server_new(&of_server, &server) == LBX_OK);
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_client_config of_client = { .size = sizeof of_client, .address = address, .streams = 8 };
    CHECK(lbx_client_new(&of_client, &client) == LBX_OK);
    const lbx_session_id session = hear(LBX_SERVER_JOINED).session;
    see(LBX_CLIENT_CONNECTED);
    return session;
}

static void a_megabyte_goes_there_and_back(lbx_session_id session)
{
    static unsigned char sent[LENGTH], back[LENGTH], piece[5000];
    for (size_t i = 0; i < LENGTH; i++)
        sent[i] = (unsigned char)(i * 2654435761u >> 24);

    lbx_stream *here = NULL, *there = NULL;
    CHECK(lbx_server_open_stream(server, &session, "disk.0", LBX_URGENCY_BULK, &here) == LBX_OK);
    const lbx_client_event offered = see(LBX_STREAM_OFFERED);
    CHECK(strcmp(offered.text, "disk.0") == 0 && offered.urgency == LBX_URGENCY_BULK);
    size_t len = 0;
    CHECK(lbx_stream_write(here, sent, LENGTH, &len) == LBX_OK && len == 0);
    CHECK(lbx_client_accept_stream(client, offered.stream, &there) == LBX_OK);
    CHECK(lbx_client_accept_stream(client, offered.stream, &there) == LBX_ERROR_STATE);
    CHECK(hear(LBX_STREAM_ACCEPTED).stream == lbx_stream_id(here));

    /* The client sends back what it reads; what it could not send at once it keeps in `piece`. */
    size_t written = 0, read = 0, kept = 0;
    while (read < LENGTH) {
        CHECK(lbx_stream_write(here, sent + written, LENGTH - written, &len) == LBX_OK);
        written += len;
        if (kept == 0) {
            const lbx_result result = lbx_stream_read(there, piece, sizeof piece, &kept);
            CHECK(result == LBX_OK || result == LBX_AGAIN);
        }
        CHECK(lbx_stream_write(there, piece, kept, &len) == LBX_OK);
        memmove(piece, piece + len, kept - len);
        kept -= len;
        const lbx_result result = lbx_stream_read(here, back + read, LENGTH - read, &len);
        CHECK(result == LBX_OK || result == LBX_AGAIN);
        read += result == LBX_OK ? len : 0;
    }
    CHECK(memcmp(sent, back, LENGTH) == 0);

    CHECK(lbx_stream_end(here) == LBX_OK && lbx_stream_end(here) == LBX_ERROR_STATE);
    CHECK(lbx_stream_write(here, sent, 1, &len) == LBX_ERROR_STATE);
    lbx_result result;
    while ((result = lbx_stream_read(there, piece, sizeof piece, &len)) == LBX_AGAIN)
        see(LBX_STREAM_READABLE);
    CHECK(result == LBX_OK && len == 0);
    lbx_stream_free(there);
    hear(LBX_STREAM_CLOSED);
    CHECK(lbx_stream_read(here, piece, sizeof piece, &len) == LBX_ERROR_STATE);
    lbx_stream_free(here);
    CHECK(lbx_stream_end(here) == LBX_ERROR_HANDLE);
}

static void who_is_refused_hears_why(lbx_session_id session)
{
    lbx_stream *streams[3] = { NULL, NULL, NULL };
    CHECK(lbx_client_open_stream(client, "usb.0", LBX_URGENCY_URGENT, &streams[0]) == LBX_OK);
    CHECK(lbx_client_open_stream(client, "usb.1", LBX_URGENCY_URGENT, &streams[1]) == LBX_OK);
    CHECK(lbx_client_open_stream(client, "usb.2", LBX_URGENCY_URGENT, &streams[2]) == LBX_ERROR_LIMIT);
    for (int i = 0; i < 2; i++) {
        const lbx_server_event offered = hear(LBX_STREAM_OFFERED);
        CHECK(lbx_server_refuse_stream(server, &session, offered.stream, "no devices on this ward") == LBX_OK);
        const lbx_client_event closed = see(LBX_STREAM_CLOSED);
        CHECK(strcmp(closed.text, "no devices on this ward") == 0 && closed.code == 1);
        lbx_stream_free(streams[i]);
    }
}

static void misuse_is_told(lbx_session_id session)
{
    lbx_stream *stream = NULL;
    size_t len = 0;
    char byte = 0;
    CHECK(lbx_server_open_stream(server, NULL, "usb.0", 0, &stream) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_open_stream(server, &session, NULL, 0, &stream) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_open_stream(server, &session, "USB 0", 0, &stream) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_open_stream(server, &session, "usb.0", 3, &stream) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_server_open_stream(server, &session, "usb.0", 0, NULL) == LBX_ERROR_ARGUMENT);
    session.bytes[0] ^= 1;
    CHECK(lbx_server_open_stream(server, &session, "usb.0", 0, &stream) == LBX_ERROR_STATE);
    CHECK(stream == NULL);
    CHECK(lbx_stream_write(NULL, &byte, 1, &len) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_stream_read(NULL, &byte, 1, &len) == LBX_ERROR_ARGUMENT && lbx_stream_id(NULL) == 0);
    CHECK(lbx_client_open_stream(client, "usb.0", LBX_URGENCY_NORMAL, &stream) == LBX_OK);
    CHECK(lbx_stream_write(stream, NULL, 1, &len) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_stream_write(stream, &byte, 1, NULL) == LBX_ERROR_ARGUMENT);
    CHECK(lbx_stream_read(stream, NULL, 1, &len) == LBX_ERROR_SPACE);
    CHECK(lbx_stream_read(stream, &byte, 0, &len) == LBX_ERROR_SPACE);
    CHECK(lbx_stream_read(stream, &byte, 1, NULL) == LBX_ERROR_ARGUMENT);
    /* Its client goes first. */
    lbx_client_free(client);
    CHECK(lbx_stream_write(stream, &byte, 1, &len) == LBX_ERROR_STATE);
    CHECK(lbx_stream_close(stream, NULL) == LBX_OK);
    lbx_stream_free(stream);
    lbx_stream_free(NULL);
}

int main(void)
{
    const lbx_session_id session = connect_both();
    a_megabyte_goes_there_and_back(session);
    who_is_refused_hears_why(session);
    misuse_is_told(session);
    lbx_server_free(server);
    return 0;
}
