#include "core/api/engine.h"

#include "core/lab/engine_loop.h"

namespace plumbline {

class Engine::Impl : public EngineLoop {
  public:
    using EngineLoop::EngineLoop;
};

Engine::Engine(const EngineOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Engine::~Engine() = default;
void Engine::post(Command command) { impl_->post(std::move(command)); }
void Engine::stop() { impl_->stop(); }
std::vector<Event> Engine::take_events() { return impl_->take_events(); }
bool Engine::wait_for_events(int milliseconds) { return impl_->wait_for_events(milliseconds); }
Snapshot Engine::snapshot() const { return impl_->snapshot(); }
void Engine::set_wakeup(std::function<void()> wakeup) { impl_->set_wakeup(std::move(wakeup)); }

}  // namespace plumbline
