"""Mount the view on a bare page, without a kernel: the shipped module, on an object with the calls it uses."""

import base64
import json
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page
from torch import nn

from camwidget.panel.view import HeatmapView, ToldView, state_of
from camwidget.pictures.explain import explain_methods

MOUNT = """\
async ({source, css, state, binary}) => {
  const style = document.createElement("style");
  style.textContent = `:root { color-scheme: light dark; } ${css}`; // dark where the browser prefers it
  document.head.append(style);
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [name, text] of Object.entries(binary)) state[name] = bytes(text);
  const listeners = new Map();
  const model = {
    get: (name) => state[name],
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) => listeners.set(event, (listeners.get(event) ?? []).filter((each) => each !== listener)),
    set: (name, value) => { state[name] = value; for (const each of listeners.get(`change:${name}`) ?? []) each(); },
    save_changes: () => {},
    send: ({number, ...message}) => {
      if (message.do !== "hello") (window.sent ??= []).push(message);
      // as a kernel that is free does
      setTimeout(() => { for (const each of listeners.get("msg:custom") ?? []) each({heard: number}); });
    },
  };
  const module = await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  window.model = model;
  // what the kernel sends by itself, its buffers in base64
  window.tell = (content, buffers) => {
    for (const each of listeners.get("msg:custom") ?? []) each(content, buffers.map(bytes));
  };
  window.listening = () => [...listeners.values()].flat().length;
  window.unmount = module.default.render({model, el: document.body});
  window.module = module;
}"""

PIXELS = """\
() => {
  const [base, over] = [".camw-base", ".camw-canvas"].map((each) => document.querySelector(each));
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [base.width, base.height];
  const context = sheet.getContext("2d");
  for (const each of [base, over]) context.drawImage(each, 0, 0, base.width, base.height);
  return [base.width, base.height, Array.from(context.getImageData(0, 0, base.width, base.height).data)];
}"""


def mount(page: Page, view: ToldView, **changes: Any) -> None:
    """Show `view` on `page` as it stands, with some traits changed, and wait for its first painted map."""
    own = state_of(view) | changes
    binary = {name: base64.b64encode(value).decode() for name, value in own.items() if isinstance(value, bytes)}
    state = {name: value for name, value in own.items() if name not in binary}
    page.goto("about:blank")
    page.evaluate(
        MOUNT,
        {
            "source": view._esm,
            "css": view._css,
            "state": json.loads(json.dumps(state)),
            "binary": binary,
        },
    )
    page.wait_for_selector(".camw-view[data-painted]")


def listed(classes: int) -> HeatmapView:
    """A view of one layer of a small network, with so many classes."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)).eval()
    view = HeatmapView()
    view.show(explain_methods(net, torch.randn(1, 3, 24, 32), target_classes=list(range(classes))))
    return view


def painted(page: Page) -> np.ndarray:
    """Red, green and blue of each pixel of the picture with its map."""
    width, height, data = page.evaluate(PIXELS)
    return np.array(data, dtype=np.uint8).reshape(height, width, 4)[..., :3]
