// Hands bytes over with progress, which fetch cannot tell about the way up.

import { Problem, refused, token } from "./api.js";

/** The JSON answer to a POST of bytes; Problem as everywhere. `progress(sent, total)`. */
export function upload(path, bytes, headers, progress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "blob";
    const all = {
      ...headers,
      Accept: "application/json",
      "Content-Type": "application/age",
      "X-Siegelpost-Form": token(),
    };
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(loaded, total));
    for (const event of ["error", "abort", "timeout"]) {
      request.addEventListener(event, () => reject(new Problem(0, "offline")));
    }
    request.addEventListener("load", () => {
      const response = new Response(request.response, { status: request.status });
      if (response.ok) resolve(response.json());
      else refused(response, path).then(reject, reject);
    });
    request.send(bytes);
  });
}
