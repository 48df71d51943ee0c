// What our modules use of others' cryptography, and nothing else.
// `Decrypter` comes from age-encryption's entry point; its X25519, scrypt and passkey parts are
// shaken out as far as the bundler can.
export { Decrypter } from "age-encryption";
// Not exported by its entry point: wraps a file key that exists already, for re-wrapping.
export { HybridRecipient } from "../node_modules/age-encryption/dist/recipients.js";
export { ed25519 } from "@noble/curves/ed25519.js";
export { MLKEM768X25519 } from "@noble/post-quantum/hybrid.js";
export { bech32 } from "@scure/base";
