// Packed data inside the page: base64 of a zlib stream.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const unpacked = new Map();

// The bytes of a block, as a blob; each is unpacked once.
function block(name) {
  if (!unpacked.has(name)) {
    const element = document.getElementById("block-" + name);
    unpacked.set(name, inflated(bytesOf(element.textContent.trim())));
    element.remove();
  }
  return unpacked.get(name);
}

const parsed = new Map();

async function json(name) {
  if (!parsed.has(name)) {
    parsed.set(name, block(name).then((bytes) => JSON.parse(new TextDecoder().decode(bytes))));
  }
  return parsed.get(name);
}

async function scriptUrl(name) {
  return URL.createObjectURL(new Blob([await block(name)], { type: "text/javascript" }));
}

// Plotly is a plain script, DataTables a module.
async function loadCharts() {
  const script = document.createElement("script");
  script.src = await scriptUrl("charts");
  await new Promise((done, failed) => {
    script.onload = done;
    script.onerror = () => failed(new Error("Plotly could not be started"));
    document.head.append(script);
  });
  return window.Plotly;
}

async function loadTable() {
  return (await import(await scriptUrl("table"))).jQuery;
}
