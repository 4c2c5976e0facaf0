// Browsers start no worker for a page that was opened as a file; the search of this site runs in one.
// There, and only there, a hidden frame of the same page takes its place: it loads the script and passes messages both ways.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.frame = document.body.appendChild(frame);
      this.ready = new Promise((loaded) => {
        const inside = frame.contentWindow;
        inside.postMessage = (data) => this.received(data);
        inside.importScripts = (...files) => files.reduce((before, file) => before.then(() => load(inside, file)), Promise.resolve());
        load(inside, new URL(script, document.baseURI)).then(loaded);
      });
    }
    received(data) {
      const message = new MessageEvent("message", { data });
      this.dispatchEvent(message);
      if (this.onmessage) this.onmessage(message);
    }
    postMessage(data) {
      const copy = structuredClone(data);
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: copy })));
    }
    terminate() {
      this.frame.remove();
    }
  };
  function load(inside, file) {
    return new Promise((loaded) => {
      const element = inside.document.createElement("script");
      element.src = file;
      element.onload = loaded;
      inside.document.body.append(element);
    });
  }
}
