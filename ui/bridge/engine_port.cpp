// The one place in ui/ that calls the engine itself.

#include "core/api/engine.h"
#include "ui/bridge/engine_bridge.h"

namespace plumbline::ui {

EnginePort port_of(Engine& engine) {
    return {
        .post = [&engine](Command command) { engine.post(std::move(command)); },
        .stop = [&engine] { engine.stop(); },
        .take_events = [&engine] { return engine.take_events(); },
        .snapshot = [&engine] { return engine.snapshot(); },
        .set_wakeup = [&engine](std::function<void()> wakeup) { engine.set_wakeup(std::move(wakeup)); },
    };
}

EngineBridge::EngineBridge(Engine& engine, QObject* parent) : EngineBridge(port_of(engine), parent) {}

}  // namespace plumbline::ui
