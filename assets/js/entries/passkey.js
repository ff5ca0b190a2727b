// A form whose submit first asks the browser for a passkey and sends what it answers: shown, or with [data-make] made.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function made(options) {
  const key = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: listed(options.excludeCredentials),
    },
  });
  const { clientDataJSON, attestationObject } = key.response;
  const response = { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject), transports: key.response.getTransports?.() ?? [] };
  return { id: key.id, rawId: text(key.rawId), type: key.type, response };
}

async function shown(options) {
  const key = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = key.response;
  const response = { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: text(userHandle) };
  return { id: key.id, rawId: text(key.rawId), type: key.type, response };
}

export default function passkey(form) {
  const status = form.querySelector("[role=status]");
  const makes = "make" in form.dataset;
  if (!window.PublicKeyCredential) {
    if (makes) status.textContent = status.dataset.unable;
    return;
  }
  form.hidden = false;
  const ask = async () => {
    const options = JSON.parse(form.dataset.options);
    status.textContent = "";
    try {
      form.elements.answer.value = JSON.stringify(await (makes ? made(options) : shown(options)));
    } catch (fault) {
      form.removeAttribute("aria-busy");
      status.textContent = (fault.name === "InvalidStateError" && status.dataset.known) || status.dataset.asleep;
      return;
    }
    form.submit();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.getAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    ask();
  }, { capture: true });
}
