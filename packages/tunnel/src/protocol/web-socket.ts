/** Of one message of the WebSocket carrier. TLS writes at most ten records of 16 KiB at a time. */
export const maxMessageBytes = 256 * 1024;
