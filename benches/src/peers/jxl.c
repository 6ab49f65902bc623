/* Whole images through libjxl, lossless, on the calling thread. peers/jxl.rs declares the same two functions. */
#include <jxl/decode.h>
#include <jxl/encode.h>

static JxlPixelFormat layout(uint32_t channels, uint32_t bits) {
    JxlPixelFormat format = {channels, bits > 8 ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
    return format;
}

/* Samples are integers below 2^bits, not stretched to the whole of their type. */
static const JxlBitDepth AS_STORED = {JXL_BIT_DEPTH_FROM_CODESTREAM, 0, 0};

static int describe(JxlEncoder *encoder, uint32_t w, uint32_t h, uint32_t channels, uint32_t bits) {
    JxlBasicInfo info;
    JxlColorEncoding colour;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = w;
    info.ysize = h;
    info.bits_per_sample = bits;
    info.num_color_channels = channels;
    info.uses_original_profile = JXL_TRUE;
    JxlColorEncodingSetToSRGB(&colour, channels == 1 ? JXL_TRUE : JXL_FALSE);
    return JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS &&
           JxlEncoderSetColorEncoding(encoder, &colour) == JXL_ENC_SUCCESS;
}

/* Codes w * h pixels of 1 or 3 channels, rows without padding, 2 bytes a sample above 8 bits. Returns the bytes
 * written to out, 0 on failure or if more than capacity are needed. */
size_t lightbox_peer_jxl_encode(const void *samples, size_t len, uint32_t w, uint32_t h, uint32_t channels,
                                uint32_t bits, int64_t effort, uint8_t *out, size_t capacity) {
    JxlPixelFormat format = layout(channels, bits);
    JxlEncoder *encoder = JxlEncoderCreate(NULL);
    uint8_t *next = out;
    size_t left = capacity;
    int done = 0;
    if (encoder && describe(encoder, w, h, channels, bits)) {
        JxlEncoderFrameSettings *frame = JxlEncoderFrameSettingsCreate(encoder, NULL);
        if (frame && JxlEncoderSetFrameLossless(frame, JXL_TRUE) == JXL_ENC_SUCCESS &&
            JxlEncoderFrameSettingsSetOption(frame, JXL_ENC_FRAME_SETTING_EFFORT, effort) == JXL_ENC_SUCCESS &&
            JxlEncoderSetFrameBitDepth(frame, &AS_STORED) == JXL_ENC_SUCCESS &&
            JxlEncoderAddImageFrame(frame, &format, samples, len) == JXL_ENC_SUCCESS) {
            JxlEncoderCloseInput(encoder);
            done = JxlEncoderProcessOutput(encoder, &next, &left) == JXL_ENC_SUCCESS;
        }
    }
    JxlEncoderDestroy(encoder);
    return done ? capacity - left : 0;
}

/* Decodes what the function above wrote into exactly len bytes of samples. Returns 1, or 0 on failure. */
int lightbox_peer_jxl_decode(const uint8_t *coded, size_t coded_len, uint32_t channels, uint32_t bits,
                             void *samples, size_t len) {
    JxlPixelFormat format = layout(channels, bits);
    JxlDecoder *decoder = JxlDecoderCreate(NULL);
    int done = 0, going = decoder && JxlDecoderSubscribeEvents(decoder, JXL_DEC_FULL_IMAGE) == JXL_DEC_SUCCESS &&
                          JxlDecoderSetInput(decoder, coded, coded_len) == JXL_DEC_SUCCESS;
    while (going) {
        switch (JxlDecoderProcessInput(decoder)) {
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER: {
            size_t needed = 0;
            going = JxlDecoderImageOutBufferSize(decoder, &format, &needed) == JXL_DEC_SUCCESS && needed == len &&
                    JxlDecoderSetImageOutBuffer(decoder, &format, samples, len) == JXL_DEC_SUCCESS &&
                    JxlDecoderSetImageOutBitDepth(decoder, &AS_STORED) == JXL_DEC_SUCCESS;
            break;
        }
        case JXL_DEC_FULL_IMAGE:
            done = 1;
            going = 0;
            break;
        default:
            going = 0;
        }
    }
    JxlDecoderDestroy(decoder);
    return done;
}
