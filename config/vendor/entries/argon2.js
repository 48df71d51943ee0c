// Argon2id alone; the wasm of the other functions stays out of the bundle.
export { argon2id } from "hash-wasm";
