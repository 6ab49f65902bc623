/*
 * A host with an encoder of its own and a terminal with a decoder of its own, through lightbox.h. The codec is the least
 * that can be called one: a unit is its number and a colour. Prints nothing and returns 0 if all of it holds.
 */
#include "support.h"

struct unit {
    uint32_t number;
    unsigned char colour[4];
};

/* What the callbacks saw. One thread calls them, and this one looks after the client's end. */
struct seen {
    int opened, closed, decoded, keys;
};

struct decoder {
    struct seen *seen;
    uint32_t next;
};

static void *open_decoder(void *userdata, uint32_t codec)
{
    CHECK(codec == LBX_CODEC_HEVC);
    struct decoder *decoder = calloc(1, sizeof *decoder);
    CHECK(decoder != NULL);
    decoder->seen = userdata;
    decoder->seen->opened++;
    return decoder;
}

static int decode(void *opaque, const lbx_access_unit *unit, void *pixels, size_t stride)
{
    struct decoder *decoder = opaque;
    struct unit content;
    const int key = (unit->flags & LBX_UNIT_KEY) != 0;
    CHECK(unit->rect.x == 0 && unit->rect.y == 0 && unit->rect.w == 128 && unit->rect.h == 64);
    if (unit->len != sizeof content)
        return 1;
    memcpy(&content, unit->data, sizeof content);
    if (!key && content.number != decoder->next)
        return 2;
    decoder->next = content.number + 1;
    for (uint32_t y = 0; y < unit->rect.h; y++)
        for (uint32_t x = 0; x < unit->rect.w; x++)
            memcpy((unsigned char *)pixels + y * stride + 4 * x, content.colour, 4);
    decoder->seen->decoded++;
    decoder->seen->keys += key;
    return 0;
}

static void close_decoder(void *opaque)
{
    struct decoder *decoder = opaque;
    decoder->seen->closed++;
    free(decoder);
}

static unsigned char picture[HEIGHT][WIDTH][4];

static lbx_result submit(lbx_output *output, uint32_t number, uint32_t flags, uint32_t *changed)
{
    const struct unit content = { .number = number, .colour = { 1, 2, 3, 4 } };
    const lbx_frame frame = { .size = sizeof frame, .data = picture, .stride = sizeof picture[0], .w = WIDTH,
                              .h = HEIGHT, .format = LBX_FORMAT_BGRX8 };
    const lbx_access_unit unit = { .size = sizeof unit, .data = &content, .len = sizeof content,
                                   .rect = { .w = 128, .h = 64 }, .codec = LBX_CODEC_HEVC, .flags = flags };
    return lbx_output_submit_coded(output, &frame, NULL, 0, &unit, changed);
}

int main(void)
{
    struct seen seen = { 0 };
    const uint32_t codecs[] = { LBX_CODEC_HEVC };
    lbx_decoder decoder = { .size = sizeof decoder, .userdata = &seen, .codecs = codecs, .codecs_len = 1,
                            .open = open_decoder, .close = close_decoder };
    lbx_server *server = new_server();
    lbx_output *output = NULL;
    CHECK(lbx_output_new(server, WIDTH, HEIGHT, LBX_FORMAT_BGRX8, &output) == LBX_OK);
    char address[LBX_ADDRESS_SPACE];
    CHECK(lbx_server_address(server, "127.0.0.1", address, sizeof address) == LBX_OK);
    const lbx_client_config config = { .size = sizeof config, .address = address, .decoder = &decoder };
    lbx_client *client = NULL;
    CHECK(lbx_client_new(&config, &client) == LBX_ERROR_ARGUMENT);
    decoder.decode = decode;
    CHECK(lbx_client_new(&config, &client) == LBX_OK);
    server_event(server, LBX_SERVER_JOINED);

    uint32_t changed = 7;
    memset(picture, 0x40, sizeof picture);
    CHECK(submit(output, 0, 0, &changed) == LBX_ERROR_STATE && changed == 7);
    CHECK(submit(output, 0, 8, &changed) == LBX_ERROR_ARGUMENT && changed == 7);
    CHECK(lbx_output_submit_coded(output, NULL, NULL, 0, NULL, NULL) == LBX_ERROR_ARGUMENT);

    /* It moves until the client has decoded a unit and shows what that says, which is not what the source has. */
    const uint32_t surface = client_event(client, LBX_CLIENT_SURFACE).surface;
    uint32_t number = 0;
    do {
        memset(picture, (int)(number * 7 + 1), sizeof picture);
        CHECK(submit(output, number, number % 5 == 0 ? LBX_UNIT_KEY : 0, &changed) == LBX_OK && changed == 8);
        number++;
        client_event(client, LBX_CLIENT_UPDATED);
    } while (lbx_client_tile_state(client, surface, 0) != LBX_TILE_PAINTED
             || lbx_client_tile_error(client, surface, 0) != LBX_TILE_ERROR_UNKNOWN);

    /* It rests, and all of it is proved. */
    lbx_counts counts = { .size = sizeof counts };
    do {
        client_event(client, LBX_CLIENT_VERIFIED);
        CHECK(lbx_client_counts(client, &counts) == LBX_OK);
    } while (counts.verified != counts.total);
    lbx_surface *held = NULL;
    lbx_frame shown = { .size = sizeof shown };
    CHECK(lbx_surface_acquire(client, surface, &held) == LBX_OK && lbx_surface_frame(held, &shown) == LBX_OK);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            CHECK(memcmp((const unsigned char *)shown.data + y * shown.stride + 4 * x, picture[y][x], 3) == 0);
    lbx_surface_release(held);

    lbx_client_free(client);
    CHECK(seen.decoded > 0 && seen.keys > 0 && seen.opened > 0 && seen.closed == seen.opened);
    lbx_output_free(output);
    lbx_server_free(server);
    return 0;
}
