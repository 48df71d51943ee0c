// What our modules use of others' cryptography, and nothing else.
// `Decrypter` comes from age-encryption's entry point; its X25519, scrypt and passkey parts are
// shaken out as far as the bundler can.
export { Decrypter } from "age-encryption";
// Not exported by its entry point: wraps a file key that exists already, for re-wrapping.
export { HybridRecipient } from "../node_modules/age-encryption/dist/recipients.js";
export { ed25519 } from "@noble/curves/ed25519.js";
export { MLKEM768X25519 } from "@noble/post-quantum/hybrid.js";
export { bech32 } from "@scure/base";
// What age-encryption is made of, for small files (static/small-file.js).
export { chacha20poly1305 } from "@noble/ciphers/chacha.js";
export { hkdf } from "@noble/hashes/hkdf.js";
export { hmac } from "@noble/hashes/hmac.js";
export { sha256 } from "@noble/hashes/sha2.js";
