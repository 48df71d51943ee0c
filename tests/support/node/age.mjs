// Second implementation for tests/unit/sealing/test_age_interop.py: the npm package age-encryption.
// Reads one JSON line from standard input, writes one to standard output; bytes are base64.
import { readFileSync } from "node:fs";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";

const request = JSON.parse(readFileSync(0, "utf8"));
const reply = {};

if (request.do === "generate") {
  reply.identity = await generateHybridIdentity();
  reply.recipient = await identityToRecipient(reply.identity);
} else if (request.do === "recipient") {
  reply.recipient = await identityToRecipient(request.identity);
} else if (request.do === "seal") {
  const encrypter = new Encrypter();
  for (const recipient of request.recipients) encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt(Buffer.from(request.data, "base64"));
  reply.data = Buffer.from(sealed).toString("base64");
} else if (request.do === "open") {
  const decrypter = new Decrypter();
  decrypter.addIdentity(request.identity);
  try {
    const plain = await decrypter.decrypt(Buffer.from(request.data, "base64"));
    reply.data = Buffer.from(plain).toString("base64");
  } catch (error) {
    reply.error = String(error.message);
  }
}
process.stdout.write(JSON.stringify(reply) + "\n");
