package websocket

import (
	"encoding/binary"
	"errors"
)

// Parts of a frame's head (RFC 6455 section 5.2).
const (
	fin       = 0x80
	opText    = 0x1
	maskBit   = 0x80
	length16  = 126
	length64  = 127
	maskBytes = 4
	maxOut    = 1 << 16 // payload of a frame that the stack may send
)

// frame makes one text frame of a message, as a client would: masked, by a key
// of zeros that changes nothing.
func frame(msg []byte) []byte {
	out := make([]byte, 0, len(msg)+4+maskBytes)
	out = append(out, fin|opText)
	if len(msg) < length16 {
		out = append(out, maskBit|byte(len(msg)))
	} else {
		out = append(out, maskBit|length16)
		out = binary.BigEndian.AppendUint16(out, uint16(len(msg))) // MaxMessage fits
	}
	out = append(out, 0, 0, 0, 0)
	return append(out, msg...)
}

var errFrame = errors.New("websocket: the stack wrote what is no frame of a message")

// unframe reads the first frame of b, which a server sends unmasked and, as
// the stack does, in one piece. size 0: it is not whole yet.
func unframe(b []byte) (payload []byte, size int, err error) {
	if len(b) < 2 {
		return nil, 0, nil
	}
	if b[0] != fin|opText || b[1]&maskBit != 0 {
		return nil, 0, errFrame
	}
	head, length := 2, uint64(b[1])
	switch length {
	case length16:
		if head = 4; len(b) < head {
			return nil, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case length64:
		if head = 10; len(b) < head {
			return nil, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > maxOut {
		return nil, 0, errFrame
	}
	if size = head + int(length); len(b) < size {
		return nil, 0, nil
	}
	return b[head:size], size, nil
}
