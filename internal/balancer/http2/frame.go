package http2

import (
	"encoding/binary"
	"fmt"
)

// frameType is the type of a frame (RFC 9113, 6).
type frameType uint8

const (
	dataFrame frameType = iota
	headersFrame
	priorityFrame
	resetFrame
	settingsFrame
	pushFrame
	pingFrame
	goAwayFrame
	windowFrame
	continuationFrame
)

// Flags of frames.
const (
	flagAck        = 0x1 // of SETTINGS and PING
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// errorCode is why a stream or a connection ended (RFC 9113, 7).
type errorCode uint32

const (
	noError          errorCode = 0x0
	protocolError    errorCode = 0x1
	internalError    errorCode = 0x2
	flowControlError errorCode = 0x3
	streamClosed     errorCode = 0x5
	frameSizeError   errorCode = 0x6
	refusedStream    errorCode = 0x7
	cancelled        errorCode = 0x8
	compressionError errorCode = 0x9
	enhanceYourCalm  errorCode = 0xb
)

// setting is the identifier of a setting (RFC 9113, 6.5.2; RFC 8441).
type setting uint16

const (
	settingTableSize       setting = 0x1
	settingPush            setting = 0x2
	settingMaxStreams      setting = 0x3
	settingInitialWindow   setting = 0x4
	settingMaxFrame        setting = 0x5
	settingMaxHeaderList   setting = 0x6
	settingConnectProtocol setting = 0x8
)

const (
	preface      = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	headerLen    = 9
	maxFrame     = 16 << 10 // of payload: the least that everybody takes, and the most that we take
	maxWindow    = 1<<31 - 1
	defaultSpace = 1<<16 - 1 // a window's size until it is said otherwise
)

// frameHeader is the beginning of a frame.
type frameHeader struct {
	length int
	kind   frameType
	flags  uint8
	stream uint32
}

func (h *frameHeader) has(flag uint8) bool { return h.flags&flag != 0 }

func parseFrameHeader(p []byte) frameHeader {
	return frameHeader{
		length: int(p[0])<<16 | int(p[1])<<8 | int(p[2]),
		kind:   frameType(p[3]),
		flags:  p[4],
		stream: binary.BigEndian.Uint32(p[5:9]) &^ (1 << 31),
	}
}

func appendFrameHeader(out []byte, h frameHeader) []byte {
	out = append(out, byte(h.length>>16), byte(h.length>>8), byte(h.length), byte(h.kind), h.flags)
	return binary.BigEndian.AppendUint32(out, h.stream)
}

func appendSettings(out []byte, pairs ...settingValue) []byte {
	out = appendFrameHeader(out, frameHeader{length: 6 * len(pairs), kind: settingsFrame})
	for _, s := range pairs {
		out = binary.BigEndian.AppendUint16(out, uint16(s.id))
		out = binary.BigEndian.AppendUint32(out, s.value)
	}
	return out
}

// settingValue is one setting.
type settingValue struct {
	id    setting
	value uint32
}

// appendWord appends a frame whose payload is one number.
func appendWord(out []byte, kind frameType, stream, value uint32) []byte {
	out = appendFrameHeader(out, frameHeader{length: 4, kind: kind, stream: stream})
	return binary.BigEndian.AppendUint32(out, value)
}

func appendWindow(out []byte, stream uint32, more int) []byte {
	return appendWord(out, windowFrame, stream, uint32(more))
}

func appendReset(out []byte, stream uint32, code errorCode) []byte {
	return appendWord(out, resetFrame, stream, uint32(code))
}

func appendGoAway(out []byte, last uint32, code errorCode) []byte {
	out = appendFrameHeader(out, frameHeader{length: 8, kind: goAwayFrame})
	out = binary.BigEndian.AppendUint32(out, last)
	return binary.BigEndian.AppendUint32(out, uint32(code))
}

func appendPing(out []byte, flags uint8, data []byte) []byte {
	out = appendFrameHeader(out, frameHeader{length: 8, kind: pingFrame, flags: flags})
	return append(out, data[:8]...)
}

// appendBlock appends a header block as HEADERS and, if it is too long for one
// frame, CONTINUATION.
func appendBlock(out []byte, stream uint32, block []byte, end bool) []byte {
	h := frameHeader{kind: headersFrame, stream: stream}
	if end {
		h.flags = flagEndStream
	}
	for {
		h.length = min(len(block), maxFrame)
		if h.length == len(block) {
			h.flags |= flagEndHeaders
		}
		out = append(appendFrameHeader(out, h), block[:h.length]...)
		if block = block[h.length:]; len(block) == 0 {
			return out
		}
		h.kind, h.flags = continuationFrame, 0
	}
}

// connError is a fault that ends the connection.
type connError struct {
	code errorCode
	what string
}

// Error returns what was wrong.
func (e *connError) Error() string { return fmt.Sprintf("http2: %s (error %#x)", e.what, e.code) }

// unpad returns the payload without its padding.
func unpad(h *frameHeader, p []byte) ([]byte, error) {
	if !h.has(flagPadded) {
		return p, nil
	}
	if len(p) == 0 || int(p[0]) >= len(p) {
		return nil, &connError{protocolError, "padding longer than its frame"}
	}
	return p[1 : len(p)-int(p[0])], nil
}
